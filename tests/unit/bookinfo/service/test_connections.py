from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bookinfo.service import application, connections, limits, metrics, settings

Start = Callable[[application.Service], Awaitable[str]]


@pytest.fixture
async def port(start: Start) -> int:
    async def hello(_request: Request) -> Response:
        return PlainTextResponse("hello")

    common = settings.read(settings.Environment({}), "example", host=None, port=0)
    service = application.build(
        common, routes=[Route("/hello", hello)], metrics=metrics.Metrics("example", "")
    )
    return int((await start(service)).rpartition(":")[2])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_TIMEOUT_S", 0.05)
    monkeypatch.setattr(connections, "LINGER_S", 0.05)


async def converse(port: int, *parts: bytes, pause_s: float = 0.0) -> bytes:
    """Send parts and return all that comes until the server closes; empty if it resets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        await asyncio.wait({asyncio.create_task(writer.wait_closed())})


def test_the_limit_is_ten_seconds() -> None:
    assert connections.HEAD_TIMEOUT_S == 10.0


async def test_headers_that_do_not_end_are_given_up(port: int, impatient: None) -> None:
    answer = await converse(port, b"GET /hello HTTP/1.1\r\nHost: x\r\nX-A: ")
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b'{"error":"the headers took longer than' in answer


async def test_headers_that_trickle_are_given_up_all_the_same(port: int, impatient: None) -> None:
    """What counts is the time since the first byte; a byte now and then does not begin it anew."""
    lines = [b"GET /hello HTTP/1.1\r\n", *(b"X-%d: y\r\n" % number for number in range(200))]
    answer = await converse(port, *lines, pause_s=0.02)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


async def test_a_connection_that_says_nothing_is_closed_without_a_word(port: int, impatient: None) -> None:
    assert await converse(port) == b""


async def test_the_second_request_of_a_connection_is_watched_too(port: int, impatient: None) -> None:
    whole = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await converse(port, whole, b"GET /hello HT", pause_s=0.02)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"HTTP/1.1 408 " in answer


async def test_an_idle_connection_between_requests_is_left_alone(port: int, impatient: None) -> None:
    """Proxies keep connections for an hour; only who has begun to ask is held to it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert await reader.readexactly(5) == b"hello"
        await asyncio.sleep(1.3)  # longer than the server's look at its connections
    writer.close()
    await writer.wait_closed()


async def test_headers_without_end_are_not_kept(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /hello HTTP/1.1\r\nX-A: ")
    sent = 0
    while sent <= connections.MAX_HEAD_BYTES:
        writer.write(b"y" * 8192)
        await writer.drain()
        sent += 8192
    assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")
    writer.close()
    await writer.wait_closed()


async def test_too_many_headers_are_refused(port: int) -> None:
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(limits.MAX_HEADERS + 1))
    answer = await converse(port, b"GET /hello HTTP/1.1\r\n" + lines + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"more than" in answer


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
async def test_what_is_no_request_is_400(port: int, line: bytes) -> None:
    assert (await converse(port, line)).startswith(b"HTTP/1.1 400 ")
