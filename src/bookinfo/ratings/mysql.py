"""Ratings in MySQL or MariaDB: Istio's table in database `test`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import aiomysql  # type: ignore[import-untyped]

from bookinfo.ratings import database, store


class MySqlDatabase:
    """A pool of connections, each opened when it is needed for the first time."""

    answer_on_failed_query = database.NOT_SELECTED

    def __init__(self, *, host: str, port: int, user: str, password: str, limits: database.Limits) -> None:
        self._options = {
            "host": host,
            "port": port,
            "user": user,
            "password": password,
            "db": database.NAME,
            "connect_timeout": limits.connect_timeout_s,
            # Without it a pooled connection would go on seeing what its first query saw.
            "autocommit": True,
        }
        self._connections = limits.connections
        self._pool: aiomysql.Pool | None = None

    async def open(self) -> None:
        self._pool = await aiomysql.create_pool(minsize=0, maxsize=self._connections, **self._options)

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()
            await self._pool.wait_closed()

    async def first_ratings(self) -> Sequence[object]:
        assert self._pool is not None  # opened before the first request  # noqa: S101
        async with contextlib.AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._pool.acquire())
            except (aiomysql.Error, OSError) as error:
                raise store.UnavailableError(database.NOT_CONNECTED, str(error)) from error
            try:
                cursor = await stack.enter_async_context(connection.cursor())
                await cursor.execute(database.SELECT_RATINGS)
                return [row[0] for row in await cursor.fetchall()]
            except (aiomysql.Error, OSError) as error:
                answer = database.NOT_CONNECTED if connection.closed else database.NOT_SELECTED
                raise store.UnavailableError(answer, str(error)) from error
