"""
`exec` and `attach` over WebSocket: numbered channels in binary messages.

Each message is one channel byte and data: 0 stdin, 1 stdout, 2 stderr, 3 the final `Status`, 4 the terminal's size.
Protocol v5 adds 255: the next byte is a channel that the client has closed; older ones cannot end standard input.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import orjson
from aiohttp import WSMessage, WSMsgType, web

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.base.pods import ExecOptions, ExecSession, LogOptions, PodStreams
from bookmesh.kube.api import containers, queries, statuses

PROTOCOLS: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _ERROR, _RESIZE, _CLOSE = 0, 1, 3, 4, 255
_LARGEST_MESSAGE: Final = 4 << 20
_SUCCESS: Final[JsonObject] = {"metadata": {}, "status": "Success"}


def parse_exec(request: web.Request, pod: JsonObject) -> ExecOptions:
    """Read the query of an exec request; raises 400."""
    command = tuple(request.query.getall("command", []))
    if not command:
        raise statuses.bad_request("you must specify at least 1 command for the container")
    return ExecOptions(
        container=containers.choose(pod, request.query.get("container", "")),
        command=command,
        stdin=queries.is_true(request.query, "stdin"),
        tty=queries.is_true(request.query, "tty"),
    )


async def serve_exec(request: web.Request, pod: JsonObject, streams: PodStreams) -> web.WebSocketResponse:
    """Run a command in a container; refusals after the upgrade travel on the error channel."""
    options = parse_exec(request, pod)
    socket = await accept(request, PROTOCOLS)
    await _greet(socket)
    try:
        session = await streams.execute(pod, options)
    except ApiError as error:
        return await _finish(socket, error.status())
    try:
        status = await _run(socket, session)
    finally:
        await session.close()
    return socket if status is None else await _finish(socket, status)


async def serve_attach(request: web.Request, pod: JsonObject, streams: PodStreams) -> web.WebSocketResponse:
    """Follow what a container writes from now on; its standard input is not open here, so that is refused."""
    if queries.is_true(request.query, "stdin") or queries.is_true(request.query, "tty"):
        raise statuses.bad_request(
            "containers run without an open standard input or terminal here: attach without -i and -t, or use exec"
        )
    container = containers.choose(pod, request.query.get("container", ""))
    chunks = streams.logs(pod, LogOptions(container=container, follow=True, tail_lines=0))
    socket = await accept(request, PROTOCOLS)
    await _greet(socket)

    async def copy() -> None:
        async for chunk in chunks:
            await socket.send_bytes(bytes([_STDOUT]) + chunk)

    status: JsonObject = _SUCCESS
    try:
        if not await _until_left(socket, copy(), _ignore(socket)):
            return socket
    except ApiError as error:
        status = error.status()
    return await _finish(socket, status)


async def accept(request: web.Request, protocols: tuple[str, ...]) -> web.WebSocketResponse:
    """Upgrade to a WebSocket; raises 400 when that is not what the client asks for."""
    upgrade = request.headers.get("Upgrade", "").lower()
    if upgrade != "websocket":
        if upgrade:
            raise statuses.bad_request(f"streams run over WebSocket here, not over {upgrade}")
        raise statuses.bad_request("Upgrade request required")
    socket = web.WebSocketResponse(protocols=protocols, compress=False, max_msg_size=_LARGEST_MESSAGE)
    if not socket.can_prepare(request).ok:
        raise statuses.bad_request("the WebSocket handshake is not complete")
    await socket.prepare(request)
    return socket


def exit_status(code: int) -> JsonObject:
    """The `Status` that tells a client how a command ended."""
    if code == 0:
        return _SUCCESS
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


async def _greet(socket: web.WebSocketResponse) -> None:
    """An empty frame tells clients that the streams are there."""
    await socket.send_bytes(bytes([_STDOUT]))


async def _run(socket: web.WebSocketResponse, session: ExecSession) -> JsonObject | None:
    """Copy both ways until the command ends; None when the client left before that."""

    async def copy() -> None:
        async for channel, data in session.output():
            await socket.send_bytes(bytes([channel]) + data)

    if not await _until_left(socket, copy(), _read(socket, session)):
        return None
    return exit_status(await session.wait())


async def _until_left(socket: web.WebSocketResponse, copying: Any, reading: Any) -> bool:
    """Run both; True when the copying came to its end, False when the client left first."""
    copier, reader = asyncio.ensure_future(copying), asyncio.ensure_future(reading)
    try:
        await asyncio.wait({copier, reader}, return_when=asyncio.FIRST_COMPLETED)
        if not copier.done():
            reader.result()
            return False
        copier.result()
        return not socket.closed
    except ConnectionError:
        return False
    finally:
        for task in (copier, reader):
            task.cancel()
        await asyncio.gather(copier, reader, return_exceptions=True)


async def _read(socket: web.WebSocketResponse, session: ExecSession) -> None:
    """Take in what the client sends until it leaves."""
    async for message in socket:
        content = payload(message)
        if not content:
            continue
        channel, data = content[0], content[1:]
        if channel == _STDIN:
            await _write(session, data)
        elif channel == _CLOSE and data[:1] == bytes([_STDIN]):
            await session.write_eof()
        elif channel == _RESIZE and (size := _parse_size(data)):
            session.resize(*size)


def payload(message: WSMessage) -> bytes:
    """What a message carries: some clients send what they have as text, which means the same on a channel."""
    if message.type is WSMsgType.TEXT:
        return str(message.data).encode()
    return bytes(message.data) if message.type is WSMsgType.BINARY else b""


async def _write(session: ExecSession, data: bytes) -> None:
    try:
        await session.write(data)
    except (BrokenPipeError, ConnectionResetError):
        # The command closed its standard input or ended; its output and exit code are still to come.
        return


def _parse_size(data: bytes) -> tuple[int, int] | None:
    """(columns, rows) of a terminal; None for a message that is not one."""
    try:
        size = orjson.loads(data)
        return int(size["Width"]), int(size["Height"])
    except (ValueError, TypeError, KeyError):
        return None


async def _ignore(socket: web.WebSocketResponse) -> None:
    """Read until the client leaves."""
    async for _ in socket:
        pass


async def _finish(socket: web.WebSocketResponse, status: JsonObject) -> web.WebSocketResponse:
    """Send the final status and close."""
    if not socket.closed:
        await socket.send_bytes(bytes([_ERROR]) + orjson.dumps(status))
        await socket.close()
    return socket
