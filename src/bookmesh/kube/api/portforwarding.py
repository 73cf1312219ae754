"""
`portforward`: TCP connections to a pod's ports through one connection of the client.

Go programs speak SPDY over it, inside of a WebSocket or not: for each connection a stream of type `error` and one of
type `data`, tied together by `requestid`. The Python clients number the channels of a WebSocket instead: 2i carries the
data of the i-th port, 2i+1 its errors, and the first message on each is the port. A connection that cannot be made is
reported on its error stream alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, Final

from aiohttp import WSMsgType, web

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.base.pods import PodStreams
from bookmesh.kube.api import spdy, spdy_upgrade, statuses, websocket_upgrade

PLAIN_PROTOCOL: Final = "portforward.k8s.io"
SPDY_PROTOCOL: Final = f"SPDY/3.1+{PLAIN_PROTOCOL}"
CHANNEL_PROTOCOL: Final = "v4.channel.k8s.io"
_CHUNK: Final = 64 * 1024
# Chunks that wait for a slow pod before the whole tunnel waits with it.
_WAITING: Final = 64

Connect = Callable[[int], Coroutine[Any, Any, tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


async def serve(request: web.Request, pod: JsonObject, streams: PodStreams) -> web.StreamResponse:
    """Forward until the client leaves."""
    ports = parse_ports(request)

    async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(sock=await streams.connect(pod, port))

    if spdy_upgrade.is_wanted(request):
        connection = await spdy_upgrade.accept(request, (PLAIN_PROTOCOL,))
        with contextlib.suppress(spdy.SpdyError):  # nothing can be told to who does not speak it: hang up
            await _Tunnel(aiter(connection), connection.write, connect).run()
        return connection
    socket = await websocket_upgrade.accept(request, (SPDY_PROTOCOL, CHANNEL_PROTOCOL))
    if socket.ws_protocol == SPDY_PROTOCOL:
        try:
            await _Tunnel(_binary(socket), socket.send_bytes, connect).run()
        except spdy.SpdyError as error:
            await socket.close(code=1002, message=str(error).encode()[:120])
    else:
        await _serve_channels(socket, ports, connect)
    return socket


def parse_ports(request: web.Request) -> list[int]:
    """The `ports` of the query, which only channel clients send; raises 400."""
    texts = [text for entry in request.query.getall("ports", []) for text in entry.split(",")]
    if not all(text.isdecimal() and 0 < int(text) < 65536 for text in texts):
        raise statuses.bad_request(f"ports must be numbers from 1 to 65535: {','.join(texts)}")
    return [int(text) for text in texts]


def failure(port: int, error: OSError | ApiError) -> str:
    """What a client is told about a connection that cannot be made: the system's words, or the node's."""
    if isinstance(error, ApiError) or not error.errno:
        return f"error forwarding port {port} to pod: {error}"
    why = os.strerror(error.errno).lower()
    return f"error forwarding port {port} to pod: dial tcp4 127.0.0.1:{port}: connect: {why}"


class _Tunnel:
    """One SPDY session: a task for each forwarded connection."""

    def __init__(
        self, chunks: AsyncIterator[bytes], send: Callable[[bytes], Awaitable[None]], connect: Connect
    ) -> None:
        self._chunks, self._send, self._connect = chunks, send, connect
        self._session = spdy.Session()
        self._sending = asyncio.Lock()
        self._error_streams: dict[str, int] = {}
        self._inboxes: dict[int, asyncio.Queue[bytes | None]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Take in what arrives until the client leaves or speaks no SPDY; ends every connection then."""
        try:
            async for chunk in self._chunks:
                events = self._session.receive(chunk)
                await self._flush()
                for event in events:
                    await self._handle(event)
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _handle(self, event: spdy.Event) -> None:
        if isinstance(event, spdy.Opened):
            self._open(event)
        elif isinstance(event, spdy.Reset):
            if task := self._tasks.get(event.stream):
                task.cancel()
        elif inbox := self._inboxes.get(event.stream):
            await inbox.put(event.data if isinstance(event, spdy.Received) else None)

    def _open(self, event: spdy.Opened) -> None:
        request_id, kind = event.headers.get("requestid", ""), event.headers.get("streamtype")
        if kind == "error":
            self._error_streams[request_id] = event.stream
            return
        port = event.headers.get("port", "")
        if kind != "data" or not port.isdecimal() or request_id not in self._error_streams:
            self._session.reset(event.stream)
            return
        inbox: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING)
        self._inboxes[event.stream] = inbox
        forwarding = self._forward(
            int(port), inbox, stream=event.stream, errors=self._error_streams.pop(request_id)
        )
        self._tasks[event.stream] = asyncio.create_task(forwarding)

    async def _forward(
        self, port: int, inbox: asyncio.Queue[bytes | None], *, stream: int, errors: int
    ) -> None:
        """Carry one connection from its start to its end."""
        try:
            try:
                reader, writer = await self._connect(port)
            except (OSError, ApiError) as error:
                self._session.send(errors, failure(port, error).encode())
            else:
                await self._copy(reader, writer, inbox, stream)
            self._session.finish(stream)
            self._session.finish(errors)
            await self._flush()
        except ConnectionError:
            # The client is gone; `run` ends and with it every other connection.
            return
        finally:
            del self._inboxes[stream], self._tasks[stream]
            while not inbox.empty():  # lets `run` go on if it waits for room
                inbox.get_nowait()

    async def _copy(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        inbox: asyncio.Queue[bytes | None],
        stream: int,
    ) -> None:
        uploading = asyncio.create_task(_upload(inbox, writer))
        try:
            with contextlib.suppress(ConnectionResetError):  # a pod's reset ends its half as a close does
                while data := await reader.read(_CHUNK):
                    self._session.send(stream, data)
                    await self._flush()
        finally:
            # One side is gone, so nobody waits for what was not sent yet; a second cancellation may end the wait below.
            writer.transport.abort()
            uploading.cancel()
            await asyncio.gather(uploading, return_exceptions=True)

    async def _flush(self) -> None:
        """Send what is queued; the lock keeps messages in the order in which they were queued."""
        async with self._sending:
            if outgoing := self._session.take_outgoing():
                await self._send(outgoing)


async def _binary(socket: web.WebSocketResponse) -> AsyncIterator[bytes]:
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            yield message.data


async def _upload(inbox: asyncio.Queue[bytes | None], writer: asyncio.StreamWriter) -> None:
    """Write what the client sends; None is the end of its half."""
    try:
        while (data := await inbox.get()) is not None:
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except (ConnectionError, OSError):
        # The pod closed first: what the client still sends has nowhere to go.
        while await inbox.get() is not None:
            pass


async def _serve_channels(socket: web.WebSocketResponse, ports: list[int], connect: Connect) -> None:
    """Forward one connection a port, as channels."""
    writers: dict[int, asyncio.StreamWriter] = {}
    tasks: list[asyncio.Task[None]] = []
    try:
        for index, port in enumerate(ports):
            data_channel, error_channel = 2 * index, 2 * index + 1
            for channel in (data_channel, error_channel):
                await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))
            try:
                reader, writer = await connect(port)
            except (OSError, ApiError) as error:
                await socket.send_bytes(bytes([error_channel]) + failure(port, error).encode())
                continue
            writers[data_channel] = writer
            tasks.append(asyncio.create_task(_download(socket, reader, data_channel)))
        closing = asyncio.create_task(_close_after(socket, list(tasks)))
        tasks.append(closing)
        async for message in socket:
            content = websocket_upgrade.payload(message)
            if content and content[0] in writers:
                writer = writers[content[0]]
                writer.write(content[1:])
                await writer.drain()
    except ConnectionError:
        return
    finally:
        for task in tasks:
            task.cancel()
        for writer in writers.values():
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _download(socket: web.WebSocketResponse, reader: asyncio.StreamReader, channel: int) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            await socket.send_bytes(bytes([channel]) + data)


async def _close_after(socket: web.WebSocketResponse, downloads: list[asyncio.Task[None]]) -> None:
    """Close when every pod connection has ended, or none was made: this protocol cannot say which one did."""
    await asyncio.gather(*downloads, return_exceptions=True)
    await socket.close()
