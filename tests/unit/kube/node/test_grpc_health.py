"""The gRPC health protocol against real gRPC servers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import grpc
import pytest

from bookmesh.kube.node import grpc_health

STATUSES = {"": 1, "ready": 1, "busy": 2, "odd": 9}


async def _answer(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
    service = request[2:].decode()
    if service not in STATUSES:
        await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
    return bytes((8, STATUSES[service]))


@contextlib.asynccontextmanager
async def serving(name: str = "grpc.health.v1.Health") -> AsyncIterator[int]:
    server = grpc.aio.server()
    method = grpc.unary_unary_rpc_method_handler(_answer)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Check": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def ask(port: int, service: str = "") -> grpc_health.Health:
    connection = socket.socket()
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    found = await grpc_health.check(connection, service, authority=f"127.0.0.1:{port}")
    assert connection.fileno() == -1, "it is closed"
    return found


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("", (True, "service healthy")),
        ("ready", (True, "service healthy")),
        ("busy", (False, 'service unhealthy (responded with "NOT_SERVING")')),
        ("odd", (False, 'service unhealthy (responded with "9")')),
        (
            "who",
            (
                False,
                "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service",
            ),
        ),
    ],
)
async def test_a_server_says_how_a_service_is(service: str, expected: tuple[bool, str]) -> None:
    async with serving() as port:
        assert await ask(port, service) == expected


async def test_a_server_without_the_protocol_is_told_from_a_sick_one() -> None:
    async with serving("example.Other") as port:
        health = await ask(port)
    assert not health.is_serving
    assert health.message.startswith(
        "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)"
    )


async def test_what_speaks_no_grpc_is_a_failure() -> None:
    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server, asyncio.timeout(20):
        health = await ask(server.sockets[0].getsockname()[1])
    assert not health.is_serving
    assert health.message.startswith("error: health rpc probe failed: rpc error: code = Unavailable desc = ")


def test_long_names_of_services_are_encoded() -> None:
    assert grpc_health.encode_request("a" * 300)[:3] == bytes((0x0A, 0xAC, 0x02))
    assert grpc_health.decode_response(b"") == "UNKNOWN"
