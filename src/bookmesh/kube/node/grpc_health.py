"""
One question of the gRPC health protocol (`grpc.health.v1.Health/Check`) over a connection that is there already.

gRPC makes its connections itself, in threads of its own, and so not in a pod's network. Here it connects to a Unix
socket instead, behind which bytes are passed on to and from the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple

_METHOD: Final = "/grpc.health.v1.Health/Check"
_STATUSES: Final = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_STATUS_FIELD: Final = 0x08  # field 1, a varint
_SERVICE_FIELD: Final = 0x0A  # field 1, with its length before it
_PIECE_BYTES: Final = 65_536


class Health(NamedTuple):
    """What came of it, in the kubelet's words."""

    is_serving: bool
    message: str


async def check(connection: socket.socket, service: str, *, authority: str) -> Health:
    """
    Ask whether a service is healthy; "" asks about the server as a whole.

    Args:
        connection: connected and not blocking; it is closed in the end.
        authority: as the server shall see it.
    """
    import grpc  # takes a while, and few pods have such a probe

    async with _relay(connection) as path:
        options = (("grpc.default_authority", authority), ("grpc.primary_user_agent", "kube-probe/bookmesh"))
        async with grpc.aio.insecure_channel(f"unix:{path}", options=options) as channel:
            ask: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_METHOD)
            try:
                answer = await ask(encode_request(service))
            except grpc.aio.AioRpcError as error:
                return _failure(error.code().name, (error.details() or "").replace(f"unix:{path}", authority))
    status = decode_response(answer)
    if status == "SERVING":
        return Health(True, "service healthy")
    return Health(False, f'service unhealthy (responded with "{status}")')


def _failure(code: str, details: str) -> Health:
    if code == "UNIMPLEMENTED":
        why = "this server does not implement the grpc health protocol (grpc.health.v1.Health)"
        return Health(False, f"error: {why}: {details}")
    name = "".join(part.capitalize() for part in code.split("_"))
    return Health(False, f"error: health rpc probe failed: rpc error: code = {name} desc = {details}")


def encode_request(service: str) -> bytes:
    """A `HealthCheckRequest`."""
    text = service.encode()
    return bytes((_SERVICE_FIELD, *_varint(len(text)))) + text if text else b""


def decode_response(answer: bytes) -> str:
    """
    Read the status of a `HealthCheckResponse`, which has one field.

    Returns:
        Its name; the number of one that has none; UNKNOWN, which is 0, when it is left out.
    """
    if len(answer) < 2 or answer[0] != _STATUS_FIELD:
        return _STATUSES[0]
    return _STATUSES[answer[1]] if answer[1] < len(_STATUSES) else str(answer[1])


def _varint(number: int) -> list[int]:
    found = []
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return [*found, number]


@contextlib.asynccontextmanager
async def _relay(connection: socket.socket) -> AsyncIterator[Path]:
    """Pass on what comes over a Unix socket, that only this user can reach, to the connection and back."""
    passing: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(sock=connection)
        passing.add(asyncio.create_task(_pass(reader, back)))
        passing.add(asyncio.create_task(_pass(there, writer)))

    with tempfile.TemporaryDirectory(prefix="bookmesh-") as directory, contextlib.closing(connection):
        path = Path(directory) / "grpc"
        server = await asyncio.start_unix_server(accept, path)
        try:
            yield path
        finally:
            server.close()
            for task in passing:
                task.cancel()
            await asyncio.gather(*passing, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_PIECE_BYTES):
            writer.write(data)
            await writer.drain()
    finally:
        writer.transport.abort()
