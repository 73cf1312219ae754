"""A server that answers with whatever bytes a test wants, for the tests of the client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Script = Callable[["Visit"], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Visit:
    """One connection of a client."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        """Counts from 0."""
        self._reader, self._writer = reader, writer

    async def request(self) -> bytes:
        """Return the next request; raises EOFError when the client goes away."""
        return await self._reader.readuntil(b"\r\n\r\n")

    async def send(self, *parts: bytes, pause_s: float = 0.0) -> None:
        for part in parts:
            self._writer.write(part)
            await self._writer.drain()
            await asyncio.sleep(pause_s)


class Server:
    """Where it listens, and how many connections there were."""

    def __init__(self) -> None:
        self.port = 0
        self.visits = 0
        self.requests: list[bytes] = []


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[Server]:
    """Run the script for each connection, and close it then."""
    told = Server()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, told.visits = told.visits, told.visits + 1
        try:
            await script(Visit(number, reader, writer))
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        server.close()
