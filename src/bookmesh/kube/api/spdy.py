"""
SPDY/3.1 framing as far as clients of Kubernetes need it, without I/O: bytes in, events out.

The client opens streams; each gets a reply with an empty header block, then data flows both ways until each side has
finished. Header blocks are compressed with one zlib stream a direction, primed with the dictionary of SPDY/3. Clients
of Kubernetes neither honour nor enforce flow-control windows, so SETTINGS and WINDOW_UPDATE are read and dropped.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY = 1, 2, 3, 6, 7
_FIN: Final = 0x01
_CONTROL: Final = 0x80000000
_STREAM_MASK: Final = 0x7FFFFFFF
_VERSION: Final = 0x8003
_LARGEST_CHUNK: Final = 32 * 1024
_LARGEST_HEADERS: Final = 64 * 1024
_LARGEST_FRAME: Final = 4 << 20
_PROTOCOL_ERROR: Final = 1

# The dictionary is part of the protocol: these words with their lengths, then the tail as it is.
_WORDS: Final = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_TAIL: Final = (
    b"100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    b"203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    b"403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    b"Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    b"chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    b"text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


class SpdyError(Exception):
    """The peer does not speak the protocol; the connection cannot go on."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The peer opened a stream; header names are in lower case."""

    stream: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Received:
    """Data arrived; never empty."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Finished:
    """The peer will send no more on this stream."""

    stream: int


@dataclass(frozen=True, slots=True)
class Reset:
    """The peer gave the stream up, both ways."""

    stream: int


Event = Opened | Received | Finished | Reset


def dictionary() -> bytes:
    """The dictionary of SPDY/3 header blocks."""
    words = [word.replace("_", " ").encode() for word in _WORDS.split()]
    return b"".join(struct.pack(">I", len(word)) + word for word in words) + _TAIL


class Session:
    """The server's end of one connection."""

    def __init__(self) -> None:
        known = dictionary()
        self._inflate = zlib.decompressobj(zdict=known)
        self._deflate = zlib.compressobj(
            9, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY, known
        )
        self._buffer = bytearray()
        self._outgoing: list[bytes] = []

    def receive(self, data: bytes) -> list[Event]:
        """
        Take in bytes, split anywhere.

        Returns:
            What they mean, in order. Call `take_outgoing` afterwards: replies may be due.

        Raises:
            SpdyError: the bytes are no SPDY/3.1, or a frame is too large.
        """
        self._buffer += data
        events: list[Event] = []
        while len(self._buffer) >= 8:
            first, second = struct.unpack_from(">II", self._buffer)
            flags, length = second >> 24, second & 0xFFFFFF
            if length > _LARGEST_FRAME:
                raise SpdyError(f"a frame of {length} bytes is too large")
            if len(self._buffer) < 8 + length:
                break
            payload = bytes(self._buffer[8 : 8 + length])
            del self._buffer[: 8 + length]
            if first & _CONTROL:
                events += self._control(first & 0xFFFF, flags, payload)
            else:
                if payload:
                    events.append(Received(first & _STREAM_MASK, payload))
                if flags & _FIN:
                    events.append(Finished(first & _STREAM_MASK))
        return events

    def take_outgoing(self) -> bytes:
        """Bytes to send now, in order; empty when there are none."""
        joined = b"".join(self._outgoing)
        self._outgoing.clear()
        return joined

    def send(self, stream: int, data: bytes) -> None:
        """Queue data on a stream."""
        for start in range(0, len(data), _LARGEST_CHUNK):
            chunk = data[start : start + _LARGEST_CHUNK]
            self._outgoing.append(struct.pack(">II", stream, len(chunk)) + chunk)

    def finish(self, stream: int) -> None:
        """Queue the end of our side of a stream."""
        self._outgoing.append(struct.pack(">II", stream, _FIN << 24))

    def reset(self, stream: int) -> None:
        """Queue giving a stream up, both ways."""
        self._queue_control(_RST_STREAM, struct.pack(">II", stream, _PROTOCOL_ERROR))

    def _control(self, kind: int, flags: int, payload: bytes) -> list[Event]:
        if kind == _SYN_STREAM:
            if len(payload) < 10:
                raise SpdyError("a SYN_STREAM frame is too short")
            stream = struct.unpack_from(">I", payload)[0] & _STREAM_MASK
            events: list[Event] = [Opened(stream, self._parse_headers(payload[10:]))]
            self._queue_control(_SYN_REPLY, struct.pack(">I", stream) + self._header_block({}))
            return [*events, Finished(stream)] if flags & _FIN else events
        if kind == _RST_STREAM and len(payload) >= 4:
            return [Reset(struct.unpack_from(">I", payload)[0] & _STREAM_MASK)]
        if kind == _PING:
            self._queue_control(_PING, payload)
        return []

    def _queue_control(self, kind: int, payload: bytes) -> None:
        self._outgoing.append(struct.pack(">HHI", _VERSION, kind, len(payload)) + payload)

    def _header_block(self, headers: Mapping[str, str]) -> bytes:
        parts = [struct.pack(">I", len(headers))]
        for text in (text.encode() for pair in headers.items() for text in pair):
            parts += [struct.pack(">I", len(text)), text]
        return self._deflate.compress(b"".join(parts)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def _parse_headers(self, block: bytes) -> Mapping[str, str]:
        try:
            plain = self._inflate.decompress(block, _LARGEST_HEADERS)
            if self._inflate.unconsumed_tail:
                raise SpdyError("a header block is too large")
            (count,) = struct.unpack_from(">I", plain)
            position, texts = 4, []
            for _ in range(count * 2):
                (length,) = struct.unpack_from(">I", plain, position)
                texts.append(plain[position + 4 : position + 4 + length].decode())
                position += 4 + length
        except (zlib.error, struct.error, UnicodeDecodeError) as error:
            raise SpdyError(f"a header block cannot be read: {error}") from error
        return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=True)}
