"""The httpbin stand-in on a free port of 127.0.0.1, in the test's own loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bookmesh.lab.standins import httpbin, serving


class HastyServer(serving.Server):
    """Ends without the tenth of a second that uvicorn sleeps."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for task in list(self.server_state.tasks):
            task.cancel()
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(0)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A client whose paths are relative to the stand-in."""
    listener = serving.listen(0)
    server = HastyServer(httpbin.create())
    task = asyncio.create_task(server.serve(sockets=[listener]))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with aiohttp.ClientSession(base, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session
    server.stopping.set()
    await task
