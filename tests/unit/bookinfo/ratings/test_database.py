from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bookinfo.ratings import database, store

LIMITS = database.Limits(timeout_s=0.01, connections=1)


class FakeDatabase:
    """Has the ratings that a test gives it, or an error, or never answers."""

    answer_on_failed_query = database.NOT_SELECTED

    def __init__(self, *ratings: object, error: Exception | None = None, hangs: bool = False) -> None:
        self.ratings = ratings
        self.error = error
        self.hangs = hangs
        self.history: list[str] = []

    async def open(self) -> None:
        self.history.append("open")

    async def close(self) -> None:
        self.history.append("close")

    async def first_ratings(self) -> Sequence[object]:
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return self.ratings


@pytest.mark.parametrize(
    ("stored", "first", "second"),
    [
        ((5, 4), 5, 4),
        ((), 0, 0),
        ((3,), 3, 0),
        ((None, 2), 0, 2),
        ((1, 2, 3), 1, 2),
        ((5.0, 0.0), 5, 0),
    ],
)
async def test_first_two_ratings_belong_to_the_two_reviewers(
    stored: tuple[object, ...], first: int, second: int
) -> None:
    ratings = database.DatabaseStore(FakeDatabase(*stored), LIMITS)
    assert await ratings.get(7) == store.ProductRatings(7, {"Reviewer1": first, "Reviewer2": second})


@pytest.mark.parametrize("stored", [6, -1, 4.5, "5", float("nan"), [5], {"stars": 5}])
async def test_rating_that_is_no_number_of_stars_is_a_failed_query(stored: object) -> None:
    ratings = database.DatabaseStore(FakeDatabase(5, stored), LIMITS)
    with pytest.raises(store.UnavailableError, match="could not perform select: rating 2 is ") as unavailable:
        await ratings.get(0)
    assert unavailable.value.answer == database.NOT_SELECTED


async def test_database_that_does_not_answer_in_time_counts_as_away() -> None:
    ratings = database.DatabaseStore(FakeDatabase(hangs=True), LIMITS)
    with pytest.raises(store.UnavailableError, match=r"no answer within 0\.01 s") as unavailable:
        await ratings.get(0)
    assert unavailable.value.answer == database.NOT_CONNECTED


async def test_nothing_is_written() -> None:
    ratings = database.DatabaseStore(FakeDatabase(5, 4), LIMITS)
    with pytest.raises(store.ReadOnlyError, match="Post not implemented for database backed ratings"):
        await ratings.put(0, {"a": 1})


async def test_database_is_closed_whatever_happens() -> None:
    fake = FakeDatabase(5, 4)
    with pytest.raises(ZeroDivisionError):
        async with database.DatabaseStore(fake, LIMITS).open():
            raise ZeroDivisionError
    assert fake.history == ["open", "close"]
