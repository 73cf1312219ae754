"""HTTP/1.1 servers that answer exactly what a test says, connection by connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
from starlette.types import ASGIApp
from tests.unit.lab.standins import conftest

from bookmesh.lab.standins import serving


@asynccontextmanager
async def answering_with(answers: Sequence[bytes], *, closes: bool = False) -> AsyncIterator[int]:
    """Serve `answers` in turn, over and over, to all connections together; gives the port."""
    count = 0
    open_ones: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        open_ones[asyncio.current_task()] = writer
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answers[count % len(answers)])
                count += 1
                await writer.drain()
                if closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in open_ones.values():
            writer.close()
        await asyncio.gather(*filter(None, open_ones))


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[aiohttp.ClientSession]:
    """A client whose paths are relative to a stand-in, which is served as it is in a pod."""
    listener = serving.listen(0)
    server = conftest.HastyServer(app)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{listener.getsockname()[1]}") as session:
        yield session
    server.stopping.set()
    await task
