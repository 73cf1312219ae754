"""What a client asks for, and a SPDY client's end of a command; WebSocket's is tested with real clients."""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator
from typing import cast

import orjson
import pytest
from tests.unit.kube.api.conftest import request_for
from tests.unit.kube.api.test_spdy import Peer, control, data

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import remotes, spdy, spdy_upgrade

EVERYTHING = remotes.Wanted(stdin=True, stdout=True, stderr=True, tty=False)
FAILED = {"status": "Failure", "message": "it failed"}


class Wire:
    """A connection in place of one over TCP: what the client has sent, and what it was sent."""

    def __init__(self, *chunks: bytes, protocol: str = "v4.channel.k8s.io") -> None:
        self.chunks, self.protocol = chunks, protocol
        self.written = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk

    async def write(self, content: bytes) -> None:
        self.written += content

    def sent(self) -> dict[int, bytes]:
        """Data that the client got, by stream; a stream that was finished ends with |."""
        found: dict[int, bytes] = {}
        position = 0
        while position < len(self.written):
            first, second = struct.unpack_from(">II", self.written, position)
            end = position + 8 + (second & 0xFFFFFF)
            if not first & 0x80000000:
                found[first] = found.get(first, b"") + self.written[position + 8 : end]
                found[first] += b"|" if second >> 24 else b""
            position = end
        return found


def opened(peer: Peer, *names: str) -> bytes:
    return b"".join(peer.syn(2 * index + 1, {"streamType": name}) for index, name in enumerate(names))


async def remote_on(wire: Wire, wanted: remotes.Wanted = EVERYTHING) -> remotes.SpdyRemote:
    remote = remotes.SpdyRemote(cast(spdy_upgrade.Connection, wire), wanted)
    await remote.open()
    return remote


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("stdin=true&stdout=true&stderr=true", EVERYTHING),
        ("stdin=1&stdout=true&stderr=true&tty=true", remotes.Wanted(True, True, False, True)),
        ("command=ls", remotes.Wanted(False, True, True, False)),
        ("stderr=true", remotes.Wanted(False, False, True, False)),
    ],
)
async def test_streams_that_the_query_asks_for(query: str, wanted: remotes.Wanted) -> None:
    assert remotes.parse_wanted(request_for("GET", f"/x?{query}")) == wanted


async def test_a_client_that_asks_for_nothing_is_refused() -> None:
    with pytest.raises(ApiError, match="at least 1 of stdin, stdout, stderr"):
        remotes.parse_wanted(request_for("GET", "/x?stdout=false"))
    with pytest.raises(ApiError, match="at least 1 of stdin, stdout, stderr"):
        remotes.parse_wanted(request_for("POST", "/x", headers={"Upgrade": "SPDY/3.1"}))


async def test_input_that_comes_with_the_streams_is_not_lost() -> None:
    peer = Peer()
    streams = opened(peer, "error", "stdin", "stdout", "stderr")
    remote = await remote_on(Wire(streams + data(3, b"early"), data(3, b"late") + data(3, b"", fin=True)))
    assert [item async for item in remote.receive()] == [
        remotes.Input(b"early"),
        remotes.Input(b"late"),
        remotes.Input(b""),
    ]


async def test_sizes_of_the_terminal_may_come_in_pieces() -> None:
    streams = opened(Peer(), "error", "stdin", "stdout", "resize")
    wire = Wire(streams, data(7, b'{"Width":80,"Hei'), data(7, b'ght":24}\n{"Width":-1,"Height":1}\nx\n'))
    remote = await remote_on(wire, remotes.Wanted(stdin=True, stdout=True, stderr=False, tty=True))
    assert [item async for item in remote.receive()] == [remotes.Size(80, 24)]


async def test_output_and_status_go_to_their_streams_and_each_ends() -> None:
    wire = Wire(opened(Peer(), "error", "stdin", "stdout", "stderr"))
    remote = await remote_on(wire)
    await remote.send(remotes.STDOUT, b"out")
    await remote.send(remotes.STDERR, b"err")
    await remote.finish(FAILED)
    sent = wire.sent()
    assert (sent[3], sent[5], sent[7]) == (b"|", b"out|", b"err|")
    assert orjson.loads(sent[1][:-1]) == FAILED


@pytest.mark.parametrize("protocol", ["v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"])
async def test_before_version_4_the_end_is_a_text(protocol: str) -> None:
    wire = Wire(opened(Peer(), "error", "stdin", "stdout", "stderr"), protocol=protocol)
    await (await remote_on(wire)).finish(FAILED)
    assert wire.sent()[1] == b"it failed|"
    wire = Wire(opened(Peer(), "error", "stdin", "stdout", "stderr"), protocol=protocol)
    await (await remote_on(wire)).finish({"status": "Success"})
    assert wire.sent()[1] == b"|"


async def test_version_2_has_no_stream_for_sizes() -> None:
    wire = Wire(opened(Peer(), "error", "stdin", "stdout"), protocol="v2.channel.k8s.io")
    await remote_on(wire, remotes.Wanted(stdin=True, stdout=True, stderr=False, tty=True))


@pytest.mark.parametrize("chunks", [(), (b"GET / HTTP/1.1\r\n\r\n",), (control(1, b"short"),)])
async def test_a_client_that_opens_no_streams_is_gone(chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(ConnectionError):
        await remote_on(Wire(*chunks))


async def test_pings_are_answered_while_nothing_else_happens() -> None:
    wire = Wire(opened(Peer(), "error", "stdin", "stdout", "stderr"), control(6, struct.pack(">I", 7)))
    remote = await remote_on(wire)
    assert [item async for item in remote.receive()] == []
    assert wire.written.endswith(control(6, struct.pack(">I", 7)))


@pytest.mark.parametrize(
    "text", [b"", b"{}", b'{"Width":"x","Height":1}', b'{"Width":70000,"Height":1}', b"[]"]
)
def test_what_is_no_size(text: bytes) -> None:
    assert remotes.parse_size(text) is None


def test_header_blocks_that_answer_are_in_the_protocols_compression() -> None:
    peer, session = Peer(), spdy.Session()
    session.receive(opened(peer, "error", "stdout"))
    replies = session.take_outgoing()
    size = 8 + struct.unpack_from(">I", replies, 4)[0]
    inflate = zlib.decompressobj(zdict=spdy.dictionary())
    assert [inflate.decompress(replies[12:size]), inflate.decompress(replies[size + 12 :])] == [b"\0" * 4] * 2
