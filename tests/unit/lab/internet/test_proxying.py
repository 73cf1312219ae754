"""The proxy by which programs of the host reach the simulated Internet."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from tests.local_ports import free_port

from bookmesh.lab.internet import proxying


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("CONNECT a.example:443 HTTP/1.1", ("a.example", 443, True, b"")),
        ("GET http://a.example HTTP/1.1", ("a.example", 80, False, b"GET / HTTP/1.1")),
        ("PUT http://a.example:81/b?c=d HTTP/1.1", ("a.example", 81, False, b"PUT /b?c=d HTTP/1.1")),
    ],
)
def test_the_request_says_where_to_go(line: str, expected: tuple[str, int, bool, bytes]) -> None:
    found = proxying.parse(f"{line}\r\nHost: x\r\n\r\n".encode())
    assert (found.host, found.port, found.is_tunnel, found.first.split(b"\r\n")[0]) == expected


def test_what_is_for_the_proxy_alone_stays_with_it() -> None:
    head = (
        b"GET http://a/ HTTP/1.1\r\nHost: a\r\nProxy-Connection: x\r\nConnection: keep-alive\r\nX: y\r\n\r\n"
    )
    assert proxying.parse(head).first == b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "line",
    [
        "GET / HTTP/1.1",  # what a browser sends to a server
        "GET https://a.example/ HTTP/1.1",
        "CONNECT a.example HTTP/1.1",
        "CONNECT a.example:http HTTP/1.1",
        "CONNECT a.example:99999 HTTP/1.1",
        "GET",
        "G\u00e4T http://a/ HTTP/1.1",
    ],
)
def test_what_is_no_request_to_a_proxy_is_refused(line: str) -> None:
    with pytest.raises(proxying.BadRequestError):
        proxying.parse(f"{line}\r\n\r\n".encode())


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[int]:
    """A proxy to a network in which `upper.example` says everything back in capitals; gives its port."""

    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data.upper())
        writer.close()

    server = await asyncio.start_server(shout, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def connect(host: str, wanted: int) -> socket.socket:
        if (host, wanted) != ("upper.example", 80):
            raise OSError("no such host")
        made = socket.create_connection(("127.0.0.1", port))
        made.setblocking(False)
        return made

    listener = proxying.listen()
    task = asyncio.create_task(proxying.Proxy(listener, connect).run())
    async with server:
        try:
            yield listener.getsockname()[1]
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def ask(port: int, said: bytes) -> bytes:
    """Say something and the end, and read everything."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    writer.write_eof()
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_tunnel_carries_bytes_and_ends_both_ways() -> None:
    async with running() as port:
        answer = await ask(port, b"CONNECT upper.example:80 HTTP/1.1\r\n\r\nabc")
    assert answer == b"HTTP/1.1 200 Connection established\r\n\r\nABC"


async def test_a_whole_url_becomes_a_request_to_the_server() -> None:
    async with running() as port:
        answer = await ask(port, b"POST http://upper.example/x HTTP/1.1\r\nA: b\r\n\r\nbody")
    assert answer == b"POST /X HTTP/1.1\r\nA: B\r\nCONNECTION: CLOSE\r\n\r\nBODY"


async def test_a_host_that_does_not_answer_is_said() -> None:
    async with running() as port:
        answer = await ask(port, b"CONNECT other.example:80 HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway")
    assert answer.endswith(b"bookmesh: other.example:80: no such host\n")


async def test_a_request_to_a_server_is_refused() -> None:
    async with running() as port:
        assert (await ask(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
        assert (await ask(port, b"x" * 70_000 + b"\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


def test_the_port_of_last_time_is_kept_unless_somebody_has_it() -> None:
    port = free_port()
    with proxying.listen(preferred_port=port) as first:
        assert first.getsockname()[1] == port
        with proxying.listen(preferred_port=port) as second:
            assert second.getsockname()[1] != port
    with proxying.listen(preferred_port=port) as again:
        assert again.getsockname()[1] == port
