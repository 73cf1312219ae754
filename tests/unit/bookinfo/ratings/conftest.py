"""Servers that stand where a database should be: nobody, somebody who says nothing, and a MongoDB that is made up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.unit.bookinfo.ratings import mongo_server


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 that refuses connections, kept from others by a socket that does not listen."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port of 127.0.0.1 that accepts connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
async def mongo() -> AsyncIterator[mongo_server.MongoServer]:
    made_up = mongo_server.MongoServer()
    server = await asyncio.start_server(made_up.serve, "127.0.0.1", 0)
    made_up.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made_up
        made_up.disconnect()
