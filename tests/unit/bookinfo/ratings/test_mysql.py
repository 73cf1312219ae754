"""What happens without a server; with one: tests/bookinfo/test_ratings_databases.py."""

from __future__ import annotations

import pytest

from bookinfo.ratings import database, mysql, store

LIMITS = database.Limits(timeout_s=0.1, connections=2)


def store_at(port: int) -> database.DatabaseStore:
    return database.DatabaseStore(
        mysql.MySqlDatabase(host="127.0.0.1", port=port, user="me", password="secret", limits=LIMITS), LIMITS
    )


async def test_server_that_is_not_there(closed_port: int) -> None:
    ratings = store_at(closed_port)
    async with ratings.open():
        with pytest.raises(store.UnavailableError) as unavailable:
            await ratings.get(0)
    assert unavailable.value.answer == "could not connect to ratings database"
    assert "secret" not in unavailable.value.reason


async def test_server_that_says_nothing_costs_the_time_limit_again_and_again(silent_port: int) -> None:
    ratings = store_at(silent_port)
    async with ratings.open():
        for _ in range(3):  # more than there may be connections
            with pytest.raises(store.UnavailableError, match="could not connect"):
                await ratings.get(0)


async def test_store_that_nobody_asked_can_be_closed(closed_port: int) -> None:
    async with store_at(closed_port).open():
        pass
