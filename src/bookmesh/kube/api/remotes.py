"""
The client's end of a command: what it sends as standard input and terminal sizes, and where its output goes.

The same over WebSocket (numbered channels in binary messages) and over SPDY (a stream each). What a client asks for
in its query says which streams there are.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Protocol

import orjson
from aiohttp import web

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import queries, spdy, spdy_upgrade, statuses, websocket_upgrade

STDIN: Final = 0
STDOUT: Final = 1
STDERR: Final = 2
WEBSOCKET_PROTOCOLS: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
SPDY_PROTOCOLS: Final = ("v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")
_ERROR, _RESIZE, _CLOSE = 3, 4, 255
# Clients that do not open the streams they asked for are not waited for any longer.
_STREAMS_S: Final = 30.0
_LARGEST_SIZE: Final = 4096
_MOST_CELLS: Final = 65_535


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which streams a client asks for; a terminal has no standard error of its own."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


@dataclass(frozen=True, slots=True)
class Input:
    """Standard input; empty at its end."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Size:
    """The terminal's new size."""

    columns: int
    rows: int


class Remote(Protocol):
    """The connection to one client."""

    @property
    def response(self) -> web.StreamResponse: ...

    async def send(self, stream: int, data: bytes) -> None:
        """Send output; raises ConnectionError when the client is gone. Streams nobody asked for are dropped."""
        ...

    def receive(self) -> AsyncIterator[Input | Size]:
        """Yield what the client sends until it leaves; for one consumer, once."""
        ...

    async def finish(self, status: JsonObject) -> None:
        """Tell how it ended, and hang up."""
        ...


def parse_wanted(request: web.Request) -> Wanted:
    """
    Read the query; raises 400 when it asks for nothing.

    Who speaks WebSocket and says nothing about output gets it, as the API's description promises.
    """
    flags = {name: queries.is_true(request.query, name) for name in ("stdin", "stdout", "stderr", "tty")}
    if not spdy_upgrade.is_wanted(request) and not request.query.keys() & {"stdout", "stderr"}:
        flags["stdout"] = flags["stderr"] = True
    if flags["tty"]:
        flags["stderr"] = False
    if not (flags["stdin"] or flags["stdout"] or flags["stderr"]):
        raise statuses.bad_request("you must specify at least 1 of stdin, stdout, stderr")
    return Wanted(**flags)


async def accept(request: web.Request, wanted: Wanted) -> Remote:
    """Upgrade the request to what the client speaks; raises 400 or 403 when that is nothing known here."""
    if spdy_upgrade.is_wanted(request):
        connection = await spdy_upgrade.accept(request, SPDY_PROTOCOLS)
        remote = SpdyRemote(connection, wanted)
        await remote.open()
        return remote
    socket = await websocket_upgrade.accept(request, WEBSOCKET_PROTOCOLS)
    # An empty frame tells clients that the streams are there.
    await socket.send_bytes(bytes([STDOUT if wanted.stdout else STDERR if wanted.stderr else _ERROR]))
    return WebSocketRemote(socket, wanted)


class WebSocketRemote:
    """
    Each message is one channel byte and data: 0 stdin, 1 stdout, 2 stderr, 3 the final `Status`, 4 the terminal's size.

    Protocol v5 adds 255: the next byte is a channel that the client has closed; older ones cannot end standard input.
    """

    def __init__(self, socket: web.WebSocketResponse, wanted: Wanted) -> None:
        self.response = socket
        self._socket, self._wanted = socket, wanted

    async def send(self, stream: int, data: bytes) -> None:
        if _is_wanted(self._wanted, stream):
            await self._socket.send_bytes(bytes([stream]) + data)

    async def receive(self) -> AsyncIterator[Input | Size]:
        async for message in self._socket:
            content = websocket_upgrade.payload(message)
            if not content:
                continue
            channel, data = content[0], content[1:]
            if channel == STDIN and data:
                yield Input(data)
            elif channel == _CLOSE and data[:1] == bytes([STDIN]):
                yield Input(b"")
            elif channel == _RESIZE and (size := parse_size(data)):
                yield size

    async def finish(self, status: JsonObject) -> None:
        if not self._socket.closed:
            await self._socket.send_bytes(bytes([_ERROR]) + orjson.dumps(status))
            await self._socket.close()


class SpdyRemote:
    """Streams of type stdin, stdout, stderr, resize, and error for the final `Status` (before v4 its message)."""

    def __init__(self, connection: spdy_upgrade.Connection, wanted: Wanted) -> None:
        self.response = connection
        self._connection, self._wanted = connection, wanted
        self._session = spdy.Session()
        self._streams: dict[str, int] = {}
        self._early: list[spdy.Event] = []
        self._sizes = b""
        self._chunks = aiter(connection)

    async def open(self) -> None:
        """Wait for the streams that the query promised; raises ConnectionError when they do not come."""
        asked = {"error"} | {name for name in ("stdin", "stdout", "stderr") if getattr(self._wanted, name)}
        if self._wanted.tty and self._connection.protocol not in SPDY_PROTOCOLS[2:]:
            asked.add("resize")
        try:
            async with asyncio.timeout(_STREAMS_S):
                while not asked <= self._streams.keys():
                    self._early += await self._events()
        except TimeoutError as error:
            raise ConnectionResetError(f"no streams within {_STREAMS_S} s") from error

    async def send(self, stream: int, data: bytes) -> None:
        if _is_wanted(self._wanted, stream):
            self._session.send(self._streams["stdout" if stream == STDOUT else "stderr"], data)
            await self._flush()

    async def receive(self) -> AsyncIterator[Input | Size]:
        with contextlib.suppress(ConnectionError):
            while True:
                events, self._early = self._early or await self._events(), []
                for event in events:
                    for item in self._inputs(event):
                        yield item

    async def finish(self, status: JsonObject) -> None:
        """Every stream gets its end, since clients read each to the last byte before they look at the status."""
        is_structured = self._connection.protocol == SPDY_PROTOCOLS[0]
        text = orjson.dumps(status) if is_structured else str(status.get("message", "")).encode()
        for name, stream in self._streams.items():
            if name == "error":
                self._session.send(stream, text)
            self._session.finish(stream)
        with contextlib.suppress(ConnectionError):
            await self._flush()

    async def _events(self) -> list[spdy.Event]:
        """Take in the next bytes; raises ConnectionError at their end, or when they are no SPDY."""
        chunk = await anext(self._chunks, b"")
        if not chunk:
            raise ConnectionResetError("the client hung up")
        try:
            events = self._session.receive(chunk)
        except spdy.SpdyError as error:
            raise ConnectionResetError(str(error)) from error
        for event in events:
            if isinstance(event, spdy.Opened):
                self._streams.setdefault(event.headers.get("streamtype", ""), event.stream)
        await self._flush()
        return events

    def _inputs(self, event: spdy.Event) -> list[Input | Size]:
        if isinstance(event, spdy.Opened):
            return []
        if event.stream == self._streams.get("stdin"):
            return [Input(event.data if isinstance(event, spdy.Received) else b"")]
        if event.stream == self._streams.get("resize") and isinstance(event, spdy.Received):
            *lines, self._sizes = (self._sizes + event.data).split(b"\n")
            self._sizes = self._sizes[-_LARGEST_SIZE:]
            return [size for line in lines if (size := parse_size(line))]
        return []

    async def _flush(self) -> None:
        if outgoing := self._session.take_outgoing():
            await self._connection.write(outgoing)


def parse_size(data: bytes) -> Size | None:
    """The size of a terminal; None for a message that is not one."""
    try:
        size = orjson.loads(data)
        columns, rows = int(size["Width"]), int(size["Height"])
    except (ValueError, TypeError, KeyError):
        return None
    return Size(columns, rows) if max(columns, rows) <= _MOST_CELLS and min(columns, rows) >= 0 else None


def _is_wanted(wanted: Wanted, stream: int) -> bool:
    return wanted.stdout if stream == STDOUT else wanted.stderr
