"""The gRPC shell over real unix sockets: who is served, what a broken client sees, how streams end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import grpc
import pytest
from envoy.service.discovery.v3 import discovery_pb2

from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds import resources, server
from bookmesh.mesh.xds.pushing import Feed

METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
SECRET = {"default": resources.encode(type_urls.SECRET, "default", b"")}


class Client:
    """A delta stream as Envoy opens it."""

    def __init__(self, channel, proxy_id: str) -> None:
        self.call = channel.stream_stream(METHOD)()
        self.proxy_id = proxy_id

    async def ask(self, type_url: str, *names: str) -> None:
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=type_url, resource_names_subscribe=names)
        request.node.id = self.proxy_id
        await self.call.write(request.SerializeToString())

    async def read(self):
        raw = await asyncio.wait_for(self.call.read(), 20)
        return raw if raw is grpc.aio.EOF else discovery_pb2.DeltaDiscoveryResponse.FromString(raw)

    async def ack(self, response) -> None:
        request = discovery_pb2.DeltaDiscoveryRequest(
            type_url=response.type_url, response_nonce=response.nonce
        )
        await self.call.write(request.SerializeToString())


@asynccontextmanager
async def serving(feed: Feed, directory):
    socket = server.ProxySocket(feed, directory)
    await socket.start()
    channel = grpc.aio.insecure_channel(f"unix:{socket.path}")
    try:
        yield socket, channel
    finally:
        await channel.close()
        await socket.stop()


@pytest.fixture
def answered():
    return asyncio.Event()


@pytest.fixture
def feed(answered):
    return Feed("proxy-a", on_answer=lambda _feed: answered.set())


async def test_a_publish_reaches_an_open_stream_and_its_ack_comes_back(feed, answered, tmp_path):
    async with serving(feed, tmp_path) as (_, channel):
        client = Client(channel, "proxy-a")
        await client.ask(type_urls.SECRET, "default")
        await asyncio.wait_for(answered.wait(), 20)
        feed.publish({type_urls.SECRET: SECRET})
        response = await client.read()
        assert [resource.name for resource in response.resources] == ["default"]
        assert not feed.is_settled()
        answered.clear()
        await client.ack(response)
        await asyncio.wait_for(answered.wait(), 20)
        assert feed.is_settled()
        assert feed.state().types[type_urls.SECRET] == "SYNCED"
        await client.call.done_writing()
        assert await client.read() is grpc.aio.EOF
        assert not feed.state().is_connected


async def test_another_proxy_is_refused(feed, tmp_path):
    feed.publish({type_urls.SECRET: SECRET})
    async with serving(feed, tmp_path) as (_, channel):
        client = Client(channel, "proxy-b")
        await client.ask(type_urls.SECRET, "default")
        with pytest.raises(grpc.aio.AioRpcError, match="belongs to proxy") as refusal:
            await client.read()
        assert refusal.value.code() == grpc.StatusCode.PERMISSION_DENIED


async def test_what_is_no_request_is_refused(feed, tmp_path):
    async with serving(feed, tmp_path) as (_, channel):
        client = Client(channel, "proxy-a")
        await client.call.write(b"\xff\xff")
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await client.read()
        assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_socket_of_a_crashed_process_is_replaced_and_gone_after_the_stop(feed, tmp_path):
    (tmp_path / server.SOCKET_NAME).touch()
    async with serving(feed, tmp_path) as (socket, _):
        assert socket.path.is_socket()
    assert not (tmp_path / server.SOCKET_NAME).exists()


async def test_a_path_longer_than_a_socket_address_works(feed, tmp_path):
    directory = tmp_path / ("d" * 120)
    directory.mkdir()
    socket = server.ProxySocket(feed, directory)
    await socket.start()
    assert socket.path.is_socket()
    await socket.stop()
    assert list(directory.iterdir()) == []


async def test_the_stop_ends_open_streams(feed, answered, tmp_path):
    async with serving(feed, tmp_path) as (socket, channel):
        client = Client(channel, "proxy-a")
        await client.ask(type_urls.SECRET, "default")
        await asyncio.wait_for(answered.wait(), 20)
        await socket.stop()
        assert await asyncio.wait_for(client.call.code(), 20) != grpc.StatusCode.OK
        assert not feed.state().is_connected


async def test_a_missing_directory_is_reported(feed, tmp_path):
    with pytest.raises(FileNotFoundError):
        await server.ProxySocket(feed, tmp_path / "missing").start()
