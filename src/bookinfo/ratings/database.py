"""
Ratings in a database: what all databases have in common.

Istio's sample keeps two ratings, without reviewers and products: the first belongs to Reviewer1, the second to
Reviewer2, of whatever product. A rating that is not there counts as 0 stars. Nothing is ever written.

A connection is opened when the first request needs one, so the service starts while its database is away, and each
request tries anew, so it recovers when the database does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from bookinfo.ratings import store

NAME: Final = "test"
"""The database of Istio's sample, on every server that has named ones."""

SELECT_RATINGS: Final = "SELECT Rating FROM ratings ORDER BY ReviewID LIMIT 2"
"""Istio's table as all SQL databases here understand it: `ratings`, with columns `ReviewID` and `Rating`."""

NOT_CONNECTED: Final = "could not connect to ratings database"
NOT_SELECTED: Final = "could not perform select"
NOT_LOADED: Final = "could not load ratings from database"
"""What the sample answers. The second is said of SQL, the third of documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one process may use of a database."""

    timeout_s: float
    """For a whole answer: waiting for a free connection, connecting and reading."""
    connections: int

    @property
    def connect_timeout_s(self) -> float:
        """For connecting: half of the whole, so that the driver says what is wrong before the time is up."""
        return self.timeout_s / 2


class Database(Protocol):
    """One kind of database, reached through its driver."""

    answer_on_failed_query: str
    """`NOT_SELECTED` or `NOT_LOADED`."""

    async def open(self) -> None:
        """Prepare on the running loop, without connecting."""

    async def close(self) -> None:
        """Close all connections; called once after `open`, when no request needs them."""

    async def first_ratings(self) -> Sequence[object]:
        """
        Return the first ratings as they are stored, at least two of them if there are so many.

        Raises:
            UnavailableError: no connection, or a query that failed. May be cancelled at any time, and has to leave
                nothing behind then that would spoil the next call.
        """


class DatabaseStore:
    """The store over any `Database`."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        await self._database.open()
        try:
            yield
        finally:
            await self._database.close()

    def at_hand(self, product_id: int) -> None:
        """Nothing is: a database has to be asked."""

    async def get(self, product_id: int) -> store.ProductRatings:
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                found = await self._database.first_ratings()
        except TimeoutError as error:
            reason = f"no answer within {self._limits.timeout_s:g} s"
            raise store.UnavailableError(NOT_CONNECTED, reason) from error
        first, second = (self._stars(found, position) for position in (0, 1))
        return store.ProductRatings(id=product_id, ratings={"Reviewer1": first, "Reviewer2": second})

    async def put(self, product_id: int, ratings: dict[str, int]) -> store.ProductRatings:
        raise store.ReadOnlyError("Post not implemented for database backed ratings")

    def _stars(self, found: Sequence[object], position: int) -> int:
        stars = found[position] if position < len(found) else None
        if stars is None:
            return 0
        # Documents written by a JavaScript shell have floating-point numbers.
        if isinstance(stars, int | float) and stars in {0, 1, 2, 3, 4, 5}:
            return int(stars)
        reason = f"rating {position + 1} is {str(stars)[:40]!r}, not 0 to 5 stars"
        raise store.UnavailableError(self._database.answer_on_failed_query, reason)
