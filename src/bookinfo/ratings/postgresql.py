"""Ratings in PostgreSQL: Istio's table in the database that the URL names."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]

from bookinfo.ratings import database, store

CLOSING_S: Final = 1.0

ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError)
"""What connecting and asking can raise, beside a TimeoutError. The last one: a URL with options that make no sense."""


class PostgresDatabase:
    """A pool of connections, each opened when it is needed for the first time."""

    answer_on_failed_query = database.NOT_SELECTED

    def __init__(self, url: str, limits: database.Limits) -> None:
        self._url = url
        self._limits = limits
        self._pool: Any = None

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._limits.connections,
            timeout=self._limits.connect_timeout_s,
            reset=leave_as_it_is,
        )

    async def close(self) -> None:
        # What cannot be closed politely in time, the pool ends by itself.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._pool.close(), CLOSING_S)

    async def first_ratings(self) -> Sequence[object]:
        async with contextlib.AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._pool.acquire())
            except TimeoutError:
                raise
            except ERRORS as error:
                raise store.UnavailableError(database.NOT_CONNECTED, reason_of(error)) from error
            try:
                return [row[0] for row in await connection.fetch(database.SELECT_RATINGS)]
            except asyncio.CancelledError:
                # Otherwise the pool would first ask the server, which has no time for us, to cancel the query.
                connection.terminate()
                raise
            except ERRORS as error:
                answer = database.NOT_CONNECTED if connection.is_closed() else database.NOT_SELECTED
                raise store.UnavailableError(answer, reason_of(error)) from error


async def leave_as_it_is(_connection: object) -> None:
    """Return a connection to the pool without resetting its session: reading changes nothing in it."""


def reason_of(error: Exception) -> str:
    """Return the text of an error; some of the driver's have none."""
    return str(error) or type(error).__name__
