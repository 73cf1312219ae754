"""
The connections of this process to one other service: kept and used again, opened when none is free.

A kept connection may have been closed by the other side just when it is used again. A request of which nothing was
answered for that reason is sent once more on another connection; any other failure is the caller's to know.
"""

from __future__ import annotations

import asyncio
import socket
from time import monotonic
from typing import Any, Final

from bookinfo.service.asking import Answer, ClientConnection, NothingReceivedError

MOST_CONNECTIONS: Final = 200
IDLE_S: Final = 30.0
"""How long a connection is kept that is not used."""
NAME_CACHE_S: Final = 5.0
"""How long the addresses of a name are used before it is looked up anew."""


class Pool:
    """Connections to one host and port."""

    def __init__(self, host: str, port: int, *, reuse_connections: bool) -> None:
        self._host = host
        self._port = port
        self._is_reusing = reuse_connections
        self._kept: list[ClientConnection] = []
        """Not in use; the last one was used last."""
        self._places = asyncio.Semaphore(MOST_CONNECTIONS)
        self._addresses: list[str] = []
        self._known_until = 0.0
        self._looking_up = asyncio.Lock()

    async def ask(self, request: bytes) -> Answer:
        """
        Send a request that may be repeated, and return the answer.

        Raises:
            AnswerError: there is no usable answer.
            OSError: the service cannot be connected to; socket.gaierror if its name is not known.
        """
        async with self._places:
            while True:
                connection = self._take()
                is_fresh = connection is None
                if connection is None:
                    connection = await self._connect()
                try:
                    answer = await connection.ask(request)
                except NothingReceivedError:
                    if is_fresh:
                        raise
                    continue
                self._give_back(connection)
                return answer

    def close(self) -> None:
        """Close what is kept."""
        self._is_reusing = False
        while self._kept:
            self._kept.pop().close()

    def _take(self) -> ClientConnection | None:
        """Return the connection that was used last: the others may grow old and go."""
        limit = monotonic() - IDLE_S
        while self._kept:
            connection = self._kept.pop()
            if connection.used_at > limit:
                return connection
            connection.close()
        return None

    def _give_back(self, connection: ClientConnection) -> None:
        if not connection.is_reusable:
            return
        if not self._is_reusing:
            connection.close()
            return
        while self._kept and self._kept[0].used_at < connection.used_at - IDLE_S:
            self._kept.pop(0).close()
        self._kept.append(connection)

    def _lost(self, connection: ClientConnection) -> None:
        """A connection has ended that nobody was using."""
        if connection in self._kept:
            self._kept.remove(connection)

    async def _connect(self) -> ClientConnection:
        loop = asyncio.get_running_loop()
        failure: OSError | None = None
        for address in await self._resolve():
            try:
                _, connection = await loop.create_connection(
                    lambda: ClientConnection(self._lost), address, self._port
                )
            except OSError as error:
                failure = failure or error
            else:
                return connection
        self._known_until = 0.0
        raise failure or OSError(f"{self._host} has no address")

    async def _resolve(self) -> list[str]:
        """Return the addresses of the service, as the system orders them; one look-up at a time."""
        async with self._looking_up:
            if monotonic() >= self._known_until:
                found = await look_up(self._host, self._port)
                self._addresses = [str(address[0]) for *_, address in found]
                self._known_until = monotonic() + NAME_CACHE_S
            return self._addresses


async def look_up(host: str, port: int) -> list[Any]:
    """
    Ask the system for the addresses of a name, in the form of `socket.getaddrinfo`.

    Raises:
        socket.gaierror: the name is not known.
    """
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
