from __future__ import annotations

import asyncio

import pytest
from envoy.service.discovery.v3 import discovery_pb2

from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds import resources
from bookmesh.mesh.xds.pushing import Feed


class Clock:
    now_s = 10.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def feed(clock):
    return Feed("proxy-a", on_answer=lambda feed: None, clock=clock)


def secret(content: str):
    return {type_urls.SECRET: {"default": resources.encode(type_urls.SECRET, "default", content.encode())}}


def request(node="proxy-a", nonce="", error=""):
    message = discovery_pb2.DeltaDiscoveryRequest(
        type_url=type_urls.SECRET, resource_names_subscribe=[] if nonce else ["default"], response_nonce=nonce
    )
    message.node.id = node
    if error:
        message.error_detail.message = error
    return message


def nonce_of(messages):
    return discovery_pb2.DeltaDiscoveryResponse.FromString(messages[-1]).nonce


def test_a_new_stream_starts_from_what_was_published(feed):
    feed.publish(secret("1"))
    stream = feed.open_stream()
    feed.receive(stream, request())
    assert len(feed.pending(stream)) == 1


def test_publishes_merge_until_the_stream_gets_to_send(feed):
    stream = feed.open_stream()
    feed.receive(stream, request())
    feed.publish(secret("1"))
    feed.publish(secret("2"))
    assert len(feed.pending(stream)) == 1
    assert feed.pending(stream) == []


def test_a_proxy_that_claims_to_be_another_is_refused(feed):
    feed.publish(secret("1"))
    with pytest.raises(PermissionError, match='belongs to proxy "proxy-a"'):
        feed.receive(feed.open_stream(), request(node="proxy-b"))


def test_the_newest_stream_speaks_for_the_proxy(feed):
    old, new = feed.open_stream(), feed.open_stream()
    feed.receive(old, request())
    assert not feed.state().is_connected
    feed.receive(new, request())
    assert feed.state().is_connected
    feed.close_stream(old)
    assert feed.state().is_connected
    feed.close_stream(new)
    assert not feed.state().is_connected
    assert set(feed.state().types.values()) == {"NOT SENT"}


def test_latency_and_refusals_are_kept_beyond_the_stream(feed, clock):
    stream = feed.open_stream()
    feed.receive(stream, request())
    feed.publish(secret("1"))
    nonce = nonce_of(feed.pending(stream))
    clock.now_s += 0.5
    feed.receive(stream, request(nonce=nonce, error="bad certificate"))
    feed.pending(stream)
    assert [nack.message for nack in feed.nacks] == ["bad certificate"]
    assert list(feed.refused()) == [(type_urls.SECRET, "default")]
    feed.close_stream(stream)
    assert list(feed.latencies_s) == [0.5]
    assert feed.refused() == {}


async def test_waiting_ends_with_a_publish_and_with_the_end_of_the_stream(feed):
    stream = feed.open_stream()
    feed.publish(secret("1"))
    await asyncio.wait_for(feed.wait(stream), 20)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(feed.wait(stream), 0.01)
    feed.close_stream(stream)
    await asyncio.wait_for(feed.wait(stream), 20)


async def test_waiting_ends_when_a_gate_opens_by_itself(feed, monkeypatch, clock):
    stream = feed.open_stream()
    monkeypatch.setattr(stream.session, "deadline", lambda: clock.now_s + 0.001)
    await asyncio.wait_for(feed.wait(stream), 20)
