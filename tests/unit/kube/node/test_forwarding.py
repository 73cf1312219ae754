"""Forwarding between two connections: socket pairs take the place of networks."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from bookmesh.kube.node import forwarding


@contextlib.asynccontextmanager
async def forwarded(
    forwarder: forwarding.Forwarder | None = None,
) -> AsyncIterator[
    tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.StreamReader, asyncio.StreamWriter]
]:
    """A client's and a server's end of one forwarded connection."""
    client, incoming = socket.socketpair()
    outgoing, server = socket.socketpair()
    for one in (client, incoming, outgoing, server):
        one.setblocking(False)

    async def connect(_incoming: socket.socket) -> socket.socket:
        return outgoing

    loop = asyncio.get_running_loop()
    client_reader, client_writer = await asyncio.open_connection(sock=client)
    server_reader, server_writer = await asyncio.open_connection(sock=server)
    factory = (forwarder or forwarding.Forwarder()).protocol(connect)
    await loop.connect_accepted_socket(factory, incoming)
    try:
        yield client_reader, client_writer, server_reader, server_writer
    finally:
        for writer in (client_writer, server_writer):
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def test_bytes_pass_both_ways_and_what_came_early_is_kept() -> None:
    async with forwarded() as (client_reader, client_writer, server_reader, server_writer):
        client_writer.write(b"question")
        assert await server_reader.readexactly(8) == b"question"
        server_writer.write(b"answer")
        assert await client_reader.readexactly(6) == b"answer"


async def test_one_direction_may_end_before_the_other() -> None:
    async with forwarded() as (client_reader, client_writer, server_reader, server_writer):
        client_writer.write(b"all I have to say")
        client_writer.write_eof()
        assert await server_reader.read() == b"all I have to say"
        server_writer.write(b"understood")
        server_writer.write_eof()
        assert await client_reader.read() == b"understood"


async def test_a_slow_reader_slows_its_writer_down() -> None:
    data = b"x" * 20_000_000
    async with forwarded() as (_, client_writer, server_reader, _server_writer):
        client_writer.write(data)
        drained = asyncio.ensure_future(client_writer.drain())
        for _turn in range(50):
            await asyncio.sleep(0)
        assert not drained.done()
        assert len(await server_reader.readexactly(len(data))) == len(data)
        await drained


async def test_a_connection_that_leads_nowhere_is_broken_off() -> None:
    async def connect(_incoming: socket.socket) -> None:
        return None

    client, incoming = socket.socketpair()
    with client:
        client.setblocking(False)
        incoming.setblocking(False)
        loop = asyncio.get_running_loop()
        forwarder = forwarding.Forwarder()
        await loop.connect_accepted_socket(forwarder.protocol(connect), incoming)
        assert await loop.sock_recv(client, 1) == b""
        assert forwarder.sides == set()


async def test_all_connections_can_be_broken_off_at_once() -> None:
    forwarder = forwarding.Forwarder()
    async with forwarded(forwarder) as (client_reader, client_writer, server_reader, _):
        client_writer.write(b"x")
        await server_reader.readexactly(1)
        assert len(forwarder.sides) == 2
        forwarder.reset_all()
        assert await asyncio.wait_for(client_reader.read(), 20) == b""
        assert await asyncio.wait_for(server_reader.read(), 20) == b""
        assert forwarder.sides == set()


async def test_a_connection_that_ends_before_its_peer_exists_is_not_connected() -> None:
    asked = asyncio.Event()
    cancelled = asyncio.Event()

    async def connect(_incoming: socket.socket) -> socket.socket | None:
        asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        pytest.fail("it was never to be connected")

    client, incoming = socket.socketpair()
    client.setblocking(False)
    incoming.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_accepted_socket(forwarding.Forwarder().protocol(connect), incoming)
    await asked.wait()
    transport.abort()
    client.close()
    await asyncio.wait_for(cancelled.wait(), 20)
