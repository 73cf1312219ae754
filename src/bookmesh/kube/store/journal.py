"""
The store on disk: one SQLite file in WAL mode, one row an object, one committed transaction a write.

A committed write is in the operating system's hands before the call returns, so it survives SIGKILL of this process
at any moment. It survives a power failure after the next `sync`: with `synchronous=NORMAL` SQLite itself syncs only
when it begins the write-ahead log anew and when it copies that into the file, which keeps both consistent at any time.
The file is held exclusively and readable by its owner alone, since it contains Secrets.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bookmesh.kube.store.records import GroupResource, StoreUnusable

_FORMAT = 1
_SCHEMA = """
CREATE TABLE objects (
    api_group TEXT NOT NULL, plural TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    version INTEGER NOT NULL, raw BLOB NOT NULL,
    PRIMARY KEY (api_group, plural, namespace, name)
) WITHOUT ROWID;
CREATE TABLE counter (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
INSERT INTO counter VALUES (1, 0);
"""
_UPSERT = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM objects WHERE api_group = ? AND plural = ? AND namespace = ? AND name = ?"
_COUNT = "UPDATE counter SET version = ? WHERE id = 1"


class Journal:
    """An open store file. Every method may raise `sqlite3.Error` (disk full, I/O); then nothing was written."""

    def __init__(self, path: Path) -> None:
        """Open or create `path`; raises `StoreUnusable`. What is found in it is on disk then, whoever left it there."""
        path.touch(mode=0o600)
        self._log = -1
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=0.0)
        try:
            self._prepare()
            self._log = os.open(f"{path}-wal", os.O_RDONLY | os.O_CLOEXEC)
            self.sync()
            _sync_entries(path.parent)
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise StoreUnusable(f"{path}: {error}") from error
        except StoreUnusable as error:
            self.close()
            raise StoreUnusable(f"{path}: {error}") from None

    def _prepare(self) -> None:
        # Exclusive before the first access: the lock is held for good, and WAL needs no shared-memory file.
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("BEGIN IMMEDIATE")
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if found not in (0, _FORMAT):
            raise StoreUnusable(f"written in format {found}, this version of Bookmesh reads format {_FORMAT}")
        if found == 0:
            for statement in filter(str.strip, _SCHEMA.split(";")):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {_FORMAT}")
        self._connection.execute("COMMIT")

    def version(self) -> int:
        """Return the version of the last write, 0 for a new file."""
        (version,) = self._connection.execute("SELECT version FROM counter").fetchone()
        return int(version)

    def rows(self) -> Iterator[tuple[GroupResource, str, str, int, bytes]]:
        """Yield every object as (resource, namespace, name, version, JSON), in key order."""
        for group, plural, namespace, name, version, raw in self._connection.execute(
            "SELECT api_group, plural, namespace, name, version, raw FROM objects"
        ):
            yield GroupResource(group, plural), namespace, name, version, raw

    def put(
        self, group_resource: GroupResource, namespace: str, name: str, *, version: int, raw: bytes
    ) -> None:
        """Commit one object and the counter together."""
        self._commit(_UPSERT, (*group_resource, namespace, name, version, raw), version)

    def remove(self, group_resource: GroupResource, namespace: str, name: str, *, version: int) -> None:
        """Commit one deletion and the counter together."""
        self._commit(_DELETE, (*group_resource, namespace, name), version)

    def _commit(self, statement: str, values: tuple[str | int | bytes, ...], version: int) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(statement, values)
            connection.execute(_COUNT, (version,))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def sync(self) -> None:
        """Bring what was committed before the call onto the disk; may be called from a thread, raises OSError."""
        os.fdatasync(self._log)

    def close(self) -> None:
        """Fold the WAL into the file and release it. May be called twice."""
        self._connection.close()
        if self._log >= 0:
            os.close(self._log)
            self._log = -1


def _sync_entries(directory: Path) -> None:
    """Make sure that files of `directory` are found after a power failure."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
