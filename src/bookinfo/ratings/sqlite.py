"""
Ratings in a file of SQLite: Istio's table, embedded in this process.

There is no server that could have made the table, so a file that does not exist is made, with the sample's ratings.
An existing file is never changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from bookinfo.ratings import database, store
from bookinfo.service import logs

LOGGER: Final = logging.getLogger("bookinfo.ratings")

CREATE: Final = """
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS ratings (ReviewID INTEGER PRIMARY KEY, Rating INTEGER);
    INSERT OR IGNORE INTO ratings (ReviewID, Rating) VALUES (1, 5), (2, 4);
    COMMIT;
"""


class SqliteDatabase:
    """
    Each read opens the file anew (measured: under half a millisecond), so that a file that is replaced is noticed.

    Files block; a few threads of our own do the reading.
    """

    answer_on_failed_query = database.NOT_SELECTED

    def __init__(self, path: Path, limits: database.Limits) -> None:
        self._path = path
        self._busy_timeout_s = limits.connect_timeout_s
        self._threads = limits.connections
        self._executor: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix="sqlite")
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, self._create_if_missing)
        except (sqlite3.Error, OSError) as error:
            LOGGER.error("database not created", extra={logs.FIELDS: {"reason": str(error)}})

    async def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown()

    async def first_ratings(self) -> Sequence[object]:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._read)

    def _create_if_missing(self) -> None:
        if self._path.exists() and self._path.stat().st_size > 0:
            return
        with contextlib.closing(self._connect("rwc")) as connection:
            connection.executescript(CREATE)

    def _read(self) -> Sequence[object]:
        try:
            connection = self._connect("ro")
        except sqlite3.Error as error:
            raise store.UnavailableError(database.NOT_CONNECTED, f"{self._path}: {error}") from error
        with contextlib.closing(connection):
            try:
                return [row[0] for row in connection.execute(database.SELECT_RATINGS)]
            except sqlite3.Error as error:
                raise store.UnavailableError(database.NOT_SELECTED, f"{self._path}: {error}") from error

    def _connect(self, mode: str) -> sqlite3.Connection:
        uri = f"{self._path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(uri, uri=True, timeout=self._busy_timeout_s)
