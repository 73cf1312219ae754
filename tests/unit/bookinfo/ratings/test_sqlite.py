from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from bookinfo.ratings import database, sqlite, store

LIMITS = database.Limits(timeout_s=10.0, connections=2)


def store_at(path: Path) -> database.DatabaseStore:
    return database.DatabaseStore(sqlite.SqliteDatabase(path, LIMITS), LIMITS)


def execute(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


@pytest.mark.parametrize("name", ["ratings.db", "a name with ? # % and ö.db"])
async def test_missing_file_is_made_with_the_ratings_of_the_sample(name: str, tmp_path: Path) -> None:
    ratings = store_at(tmp_path / name)
    async with ratings.open():
        assert (await ratings.get(7)).ratings == {"Reviewer1": 5, "Reviewer2": 4}
    assert [path.name for path in tmp_path.iterdir()] == [name]


async def test_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ratings.db"
    execute(path, "CREATE TABLE ratings (ReviewID INTEGER, Rating INTEGER)")
    before = path.read_bytes()
    ratings = store_at(path)
    async with ratings.open():
        assert (await ratings.get(7)).ratings == {"Reviewer1": 0, "Reviewer2": 0}
    assert path.read_bytes() == before


async def test_file_may_be_changed_and_replaced_meanwhile(tmp_path: Path) -> None:
    path, other = tmp_path / "ratings.db", tmp_path / "other.db"
    ratings = store_at(path)
    async with store_at(other).open():
        execute(other, "UPDATE ratings SET Rating = 1")
    async with ratings.open():
        execute(path, "UPDATE ratings SET Rating = 2")
        assert (await ratings.get(7)).ratings == {"Reviewer1": 2, "Reviewer2": 2}
        other.rename(path)
        assert (await ratings.get(7)).ratings == {"Reviewer1": 1, "Reviewer2": 1}


async def test_file_that_goes_away_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "ratings.db"
    ratings = store_at(path)
    async with ratings.open():
        path.unlink()
        with pytest.raises(store.UnavailableError) as unavailable:
            await ratings.get(0)
        assert unavailable.value.answer == "could not connect to ratings database"
        assert not path.exists()


async def test_what_is_no_database_is_a_failed_query(tmp_path: Path) -> None:
    path = tmp_path / "ratings.db"
    path.write_text("this is no database, however long one looks at it")
    ratings = store_at(path)
    async with ratings.open():
        with pytest.raises(store.UnavailableError, match=r"could not perform select: .*not a database"):
            await ratings.get(0)


async def test_file_that_cannot_be_made_is_reported_and_the_store_opens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ratings = store_at(tmp_path / "no folder" / "ratings.db")
    async with ratings.open():
        with pytest.raises(store.UnavailableError, match="could not connect to ratings database"):
            await ratings.get(0)
    assert [record.message for record in caplog.records] == ["database not created"]
