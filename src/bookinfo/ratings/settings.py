"""
Where ratings are kept: in memory, unless RATINGS_DB_URL is set or the version is v2, the sample's with a database.

No message quotes a URL that may have a password in it, nor a part of one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit

from bookinfo.ratings import database
from bookinfo.service.settings import Environment, SettingError

DATABASE_VERSION: Final = "v2"

HIDDEN: Final = "***"
"""Shown in place of a URL, which may have a password in it."""


@dataclass(frozen=True, slots=True)
class MongoAddress:
    """Source: MONGO_DB_URL."""

    product: ClassVar = "MongoDB"
    variable: ClassVar = "MONGO_DB_URL"
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MySqlAddress:
    """Source: MYSQL_DB_HOST, MYSQL_DB_PORT, MYSQL_DB_USER, MYSQL_DB_PASSWORD."""

    product: ClassVar = "MySQL"
    variable: ClassVar = "MYSQL_DB_HOST"
    host: str
    port: int
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Source: RATINGS_DB_URL."""

    product: ClassVar = "PostgreSQL"
    variable: ClassVar = "RATINGS_DB_URL"
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    """Source: RATINGS_DB_URL."""

    product: ClassVar = "SQLite"
    variable: ClassVar = "RATINGS_DB_URL"
    path: Path


Address = MongoAddress | MySqlAddress | PostgresAddress | SqliteAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingsSettings:
    """Settings of ratings alone."""

    address: Address | None
    """None: in memory."""
    limits: database.Limits


def read(environment: Environment, version: str) -> RatingsSettings:
    """
    Read them.

    Raises:
        SettingError: a variable has a value that cannot be used, or one that is needed is missing.
    """
    timeout_s = environment.seconds("RATINGS_DB_TIMEOUT_S", 2.0, maximum=60)
    if timeout_s == 0:
        raise SettingError("RATINGS_DB_TIMEOUT_S", "0", "more than 0 seconds")
    return RatingsSettings(
        address=read_address(environment, version),
        limits=database.Limits(
            timeout_s=timeout_s,
            connections=environment.integer("RATINGS_DB_CONNECTIONS", 10, minimum=1, maximum=1000),
        ),
    )


def read_address(environment: Environment, version: str) -> Address | None:
    """RATINGS_DB_URL wins over the variables of Istio's sample, which count for v2 only, as in the sample."""
    url = environment.optional("RATINGS_DB_URL")
    if url is not None:
        return parse_url(url)
    if version != DATABASE_VERSION:
        return None
    if environment.choice("DB_TYPE", "mongodb", ("mongodb", "mysql")) == "mysql":
        return MySqlAddress(
            host=environment.host_name("MYSQL_DB_HOST", ""),
            port=environment.integer("MYSQL_DB_PORT", 3306, minimum=1, maximum=65535),
            user=environment.text("MYSQL_DB_USER", "root"),
            password=environment.text("MYSQL_DB_PASSWORD", ""),
        )
    url = environment.optional("MONGO_DB_URL")
    if url is None:
        expected = "MONGO_DB_URL, DB_TYPE=mysql or RATINGS_DB_URL beside it, to say where the database is"
        raise SettingError("SERVICE_VERSION", version, expected)
    return MongoAddress(url)


def parse_url(url: str) -> PostgresAddress | SqliteAddress:
    """
    Return what RATINGS_DB_URL names.

    A path of SQLite is relative after three slashes and absolute after four, as database URLs have it elsewhere.
    """
    refusal = SettingError(
        "RATINGS_DB_URL", HIDDEN, "postgresql://user:password@host:5432/database or sqlite:///file"
    )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # the port raises if it is none
    except ValueError:
        raise refusal from None
    if parts.scheme in {"postgresql", "postgres"} and host and parts.path.strip("/"):
        return PostgresAddress(url)
    if parts.scheme != "sqlite" or parts.netloc or parts.query or parts.fragment or len(parts.path) < 2:
        raise refusal
    path = Path(unquote(parts.path[1:]))
    if not path.parent.is_dir():
        raise SettingError(
            "RATINGS_DB_URL", url, f"a file in a directory that is there; {path.parent} is not"
        )
    return SqliteAddress(path)
