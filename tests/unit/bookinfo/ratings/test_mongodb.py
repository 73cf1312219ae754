from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest
from tests.unit.bookinfo.ratings import mongo_server

from bookinfo.ratings import database, mongodb, store

LIMITS = database.Limits(timeout_s=0.2, connections=2)

PATIENT = database.Limits(timeout_s=5.0, connections=2)
"""The driver looks at a server that was away no more often than twice a second."""


@pytest.fixture(autouse=True)
def _sockets_left_by_the_driver() -> Iterator[None]:
    """A driver that is closed while its monitor connects leaves that socket to the garbage collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def store_at(url: str, limits: database.Limits = LIMITS) -> database.DatabaseStore:
    return database.DatabaseStore(mongodb.MongoDatabase(url, limits), limits)


async def test_first_two_documents_are_the_ratings(mongo: mongo_server.MongoServer) -> None:
    ratings = store_at(mongo.url, PATIENT)
    async with ratings.open():
        mongo.documents = [{"rating": 2}, {"rating": 5.0}, {"rating": 1}]
        assert (await ratings.get(7)).ratings == {"Reviewer1": 2, "Reviewer2": 5}
        mongo.documents = [{"no_rating": 2}]
        assert (await ratings.get(7)).ratings == {"Reviewer1": 0, "Reviewer2": 0}
    query = mongo.queries[0]
    assert (query["$db"], query["find"], query["limit"]) == ("test", "ratings", 2)


async def test_database_in_the_url_is_not_the_one_that_is_read(mongo: mongo_server.MongoServer) -> None:
    ratings = store_at(mongo.url.replace("/test", "/admin"), PATIENT)
    async with ratings.open():
        await ratings.get(7)
    assert mongo.queries[0]["$db"] == "test"


async def test_failed_query_is_told_in_the_words_of_the_sample(mongo: mongo_server.MongoServer) -> None:
    ratings = store_at(mongo.url, PATIENT)
    mongo.failure = {"ok": 0, "code": 13, "codeName": "Unauthorized", "errmsg": "not allowed"}
    async with ratings.open():
        with pytest.raises(store.UnavailableError, match="not allowed") as unavailable:
            await ratings.get(0)
    assert unavailable.value.answer == "could not load ratings from database"


async def test_silence_costs_the_time_limit_and_the_next_request_succeeds(
    mongo: mongo_server.MongoServer,
) -> None:
    ratings = store_at(mongo.url, database.Limits(timeout_s=3.0, connections=1))
    async with ratings.open():
        mongo.is_silent = True
        for _ in range(2):  # more than there are connections
            with pytest.raises(store.UnavailableError, match="could not connect to ratings database"):
                await ratings.get(0)
        mongo.is_silent = False
        assert (await ratings.get(0)).ratings == {"Reviewer1": 0, "Reviewer2": 0}


async def test_connection_that_was_closed_is_replaced(mongo: mongo_server.MongoServer) -> None:
    ratings = store_at(mongo.url, PATIENT)
    async with ratings.open():
        await ratings.get(0)
        mongo.disconnect()
        await ratings.get(0)


async def test_server_that_is_not_there(closed_port: int) -> None:
    ratings = store_at(f"mongodb://127.0.0.1:{closed_port}", database.Limits(timeout_s=2.0, connections=2))
    async with ratings.open():
        with pytest.raises(store.UnavailableError, match="Connect call failed") as unavailable:
            await ratings.get(0)
    assert unavailable.value.answer == "could not connect to ratings database"


async def test_server_that_says_nothing(silent_port: int) -> None:
    ratings = store_at(f"mongodb://127.0.0.1:{silent_port}")
    async with ratings.open():
        with pytest.raises(store.UnavailableError, match="could not connect to ratings database"):
            await ratings.get(0)


@pytest.mark.parametrize("url", ["http://host", "mongodb://", "mongodb://me:secret@host:port"])
def test_url_that_makes_no_sense_is_refused_without_connecting(url: str) -> None:
    with pytest.raises(ValueError) as refused:
        mongodb.MongoDatabase(url, LIMITS)
    assert "secret" not in str(refused.value)
