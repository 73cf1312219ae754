"""From settings to a store. A driver is imported when its database is chosen, and only then."""

from __future__ import annotations

from bookinfo.ratings import database, memory, settings, store
from bookinfo.service.settings import SettingError


class MissingDriverError(SettingError):
    """The chosen database needs a package that is not installed."""

    def __init__(self, address: settings.Address, package: str | None) -> None:
        ValueError.__init__(
            self,
            f"ratings in {address.product} need the Python package {package}, which is not installed; "
            "install it with: pip install bookmesh[databases]",
        )
        self.variable = address.variable


def build_store(chosen: settings.RatingsSettings) -> store.RatingsStore:
    """
    Return the store, not opened yet.

    Raises:
        MissingDriverError: the driver is not installed.
        SettingError: the driver does not take the URL.
    """
    if chosen.address is None:
        return memory.MemoryStore()
    try:
        chosen_database = build_database(chosen.address, chosen.limits)
    except ModuleNotFoundError as error:
        raise MissingDriverError(chosen.address, error.name) from error
    except ValueError as error:
        expected = f"a URL that the driver of {chosen.address.product} takes ({error})"
        raise SettingError(chosen.address.variable, settings.HIDDEN, expected) from error
    return database.DatabaseStore(chosen_database, chosen.limits)


def build_database(address: settings.Address, limits: database.Limits) -> database.Database:
    """
    Import the driver and prepare it.

    Raises:
        ModuleNotFoundError: it is not installed.
        ValueError: it does not take the URL; the text does not quote it.
    """
    match address:
        case settings.MongoAddress():
            from bookinfo.ratings import mongodb

            return mongodb.MongoDatabase(address.url, limits)
        case settings.MySqlAddress():
            from bookinfo.ratings import mysql

            return mysql.MySqlDatabase(
                host=address.host,
                port=address.port,
                user=address.user,
                password=address.password,
                limits=limits,
            )
        case settings.PostgresAddress():
            from bookinfo.ratings import postgresql

            return postgresql.PostgresDatabase(address.url, limits)
        case settings.SqliteAddress():
            from bookinfo.ratings import sqlite

            return sqlite.SqliteDatabase(address.path, limits)
