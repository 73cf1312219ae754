"""SPDY framing against a client's end made of the same few rules."""

from __future__ import annotations

import struct
import zlib

import pytest

from bookmesh.kube.api import spdy


class Peer:
    """Writes and reads frames as a client does."""

    def __init__(self) -> None:
        self.deflate = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 8, 0, spdy.dictionary())
        self.inflate = zlib.decompressobj(zdict=spdy.dictionary())

    def syn(self, stream: int, headers: dict[str, str], *, fin: bool = False) -> bytes:
        plain = struct.pack(">I", len(headers))
        for text in (text.encode() for pair in headers.items() for text in pair):
            plain += struct.pack(">I", len(text)) + text
        block = self.deflate.compress(plain) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        return control(1, struct.pack(">IIH", stream, 0, 0) + block, flags=int(fin))


def control(kind: int, payload: bytes, *, flags: int = 0) -> bytes:
    return struct.pack(">HHI", 0x8003, kind, flags << 24 | len(payload)) + payload


def data(stream: int, content: bytes, *, fin: bool = False) -> bytes:
    return struct.pack(">II", stream, int(fin) << 24 | len(content)) + content


def test_dictionary_is_the_one_of_the_protocol() -> None:
    # Size and Adler-32 of the SPDY/3 dictionary, as zlib names it in a stream.
    assert len(spdy.dictionary()) == 1423
    assert zlib.adler32(spdy.dictionary()) == 0xE3C6A7C2


def test_stream_opens_and_is_acknowledged() -> None:
    session, peer = spdy.Session(), Peer()
    events = session.receive(peer.syn(1, {"StreamType": "data", "port": "80"}))
    assert events == [spdy.Opened(1, {"streamtype": "data", "port": "80"})]
    reply = session.take_outgoing()
    assert struct.unpack_from(">HH", reply) == (0x8003, 2)
    assert peer.inflate.decompress(reply[12:]) == struct.pack(">I", 0)
    assert session.take_outgoing() == b""


def test_header_blocks_share_one_compression_state() -> None:
    session, peer = spdy.Session(), Peer()
    for stream in (1, 3, 5):
        (event,) = session.receive(peer.syn(stream, {"requestid": str(stream)}))
        assert event == spdy.Opened(stream, {"requestid": str(stream)})


def test_frames_may_be_split_anywhere() -> None:
    wire = Peer().syn(1, {"a": "b"}) + data(1, b"hello") + data(1, b"", fin=True)
    session = spdy.Session()
    events = [event for byte in wire for event in session.receive(bytes([byte]))]
    assert events == [spdy.Opened(1, {"a": "b"}), spdy.Received(1, b"hello"), spdy.Finished(1)]


def test_data_with_the_end_and_a_stream_without_data() -> None:
    session, peer = spdy.Session(), Peer()
    assert session.receive(peer.syn(1, {}, fin=True))[1:] == [spdy.Finished(1)]
    assert session.receive(data(1, b"x", fin=True)) == [spdy.Received(1, b"x"), spdy.Finished(1)]


def test_large_data_is_cut_into_frames() -> None:
    session = spdy.Session()
    session.send(1, b"x" * 70_000)
    session.finish(1)
    events = spdy.Session().receive(session.take_outgoing())
    assert [len(event.data) for event in events if isinstance(event, spdy.Received)] == [32768, 32768, 4464]
    assert events[-1] == spdy.Finished(1)


def test_ping_is_echoed_reset_is_reported_and_the_rest_is_dropped() -> None:
    session = spdy.Session()
    assert session.receive(control(6, b"\0\0\0\7")) == []
    assert session.take_outgoing() == control(6, b"\0\0\0\7")
    assert session.receive(control(3, struct.pack(">II", 9, 5))) == [spdy.Reset(9)]
    assert session.receive(control(4, b"\0" * 12) + control(9, b"\0" * 8) + control(7, b"\0" * 8)) == []
    session.reset(9)
    assert spdy.Session().receive(session.take_outgoing()) == [spdy.Reset(9)]


@pytest.mark.parametrize(
    "wire",
    [
        control(1, struct.pack(">IIH", 1, 0, 0) + b"not compressed"),
        control(1, b"short"),
        struct.pack(">II", 1, 0xFFFFFF),
    ],
)
def test_nonsense_is_refused(wire: bytes) -> None:
    with pytest.raises(spdy.SpdyError):
        spdy.Session().receive(wire)


def test_header_block_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(spdy.SpdyError, match="too large"):
        spdy.Session().receive(Peer().syn(1, {"a": "x" * (1 << 20)}))
