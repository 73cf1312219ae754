from __future__ import annotations

from pathlib import Path

import pytest

from bookinfo.ratings import database, settings
from bookinfo.service.settings import Environment, SettingError

MYSQL = {"DB_TYPE": "mysql", "MYSQL_DB_HOST": "mysqldb"}


def read(version: str, **variables: str) -> settings.RatingsSettings:
    return settings.read(Environment(variables), version)


@pytest.mark.parametrize("version", ["", "v1", "v3", "v-faulty"])
def test_variables_of_the_sample_count_for_v2_only(version: str) -> None:
    assert read(version, **MYSQL, MONGO_DB_URL="mongodb://mongodb").address is None


def test_mongodb_is_what_v2_expects() -> None:
    address = read("v2", MONGO_DB_URL="mongodb://mongodb:27017/test").address
    assert address == settings.MongoAddress("mongodb://mongodb:27017/test")


def test_mysql_as_in_the_manifest_of_the_sample() -> None:
    more = {"MYSQL_DB_PORT": "3307", "MYSQL_DB_USER": "me", "MYSQL_DB_PASSWORD": "secret"}
    expected = settings.MySqlAddress(host="mysqldb", port=3307, user="me", password="secret")
    assert read("v2", **MYSQL, **more).address == expected
    assert read("v2", **MYSQL).address == settings.MySqlAddress(
        host="mysqldb", port=3306, user="root", password=""
    )


@pytest.mark.parametrize("version", ["", "v1", "v2", "v-delayed"])
@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_url_wins_whatever_the_version(version: str, scheme: str) -> None:
    url = f"{scheme}://me:se%2Fcret@db:5432/shop?sslmode=require"
    assert read(version, **MYSQL, RATINGS_DB_URL=url).address == settings.PostgresAddress(url)


def test_path_of_sqlite_is_relative_after_three_slashes_and_absolute_after_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my shop").mkdir()
    relative = read("", RATINGS_DB_URL="sqlite:///my%20shop/ratings.db").address
    assert relative == settings.SqliteAddress(Path("my shop/ratings.db"))
    absolute = read("", RATINGS_DB_URL=f"sqlite:///{tmp_path}/ratings.db").address
    assert absolute == settings.SqliteAddress(tmp_path / "ratings.db")


def test_limits() -> None:
    assert read("").limits == database.Limits(timeout_s=2.0, connections=10)
    chosen = read("", RATINGS_DB_TIMEOUT_S="0.5", RATINGS_DB_CONNECTIONS="3").limits
    assert chosen == database.Limits(timeout_s=0.5, connections=3)
    assert chosen.connect_timeout_s < chosen.timeout_s


@pytest.mark.parametrize(
    ("variable", "variables"),
    [
        ("SERVICE_VERSION", {}),
        ("DB_TYPE", {"DB_TYPE": "oracle"}),
        ("MYSQL_DB_HOST", {"DB_TYPE": "mysql"}),
        ("MYSQL_DB_PORT", {**MYSQL, "MYSQL_DB_PORT": "0"}),
        ("RATINGS_DB_TIMEOUT_S", {**MYSQL, "RATINGS_DB_TIMEOUT_S": "0"}),
        ("RATINGS_DB_CONNECTIONS", {**MYSQL, "RATINGS_DB_CONNECTIONS": "0"}),
        ("RATINGS_DB_URL", {"RATINGS_DB_URL": "ratings.db"}),
        ("RATINGS_DB_URL", {"RATINGS_DB_URL": "sqlite://ratings.db"}),
        ("RATINGS_DB_URL", {"RATINGS_DB_URL": "sqlite:///"}),
        ("RATINGS_DB_URL", {"RATINGS_DB_URL": "sqlite:///no/such/folder/ratings.db"}),
        ("RATINGS_DB_URL", {"RATINGS_DB_URL": "postgresql:///shop"}),
        ("RATINGS_DB_URL", {"RATINGS_DB_URL": "postgresql://host"}),
        ("RATINGS_DB_URL", {"RATINGS_DB_URL": "oracle://host/shop"}),
    ],
)
def test_what_cannot_be_used_names_the_variable(variable: str, variables: dict[str, str]) -> None:
    with pytest.raises(SettingError, match=f"^environment variable {variable} is ") as refused:
        read("v2", **variables)
    assert refused.value.variable == variable


@pytest.mark.parametrize("url", ["postgresql://me:se/cret@host/shop", "oracle://me:secret@host/shop"])
def test_password_is_in_no_message(url: str) -> None:
    with pytest.raises(SettingError) as refused:
        read("v2", RATINGS_DB_URL=url)
    assert "cret" not in str(refused.value)


def test_password_is_in_no_representation() -> None:
    assert "secret" not in repr(read("v2", **MYSQL, MYSQL_DB_PASSWORD="secret"))
    assert "secret" not in repr(read("v2", MONGO_DB_URL="mongodb://me:secret@mongodb"))
    assert "secret" not in repr(read("", RATINGS_DB_URL="postgresql://me:secret@host/shop"))
