from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.bookinfo.service.serving import LARGE, Example, converse, eventually, get, read_answer

from bookinfo.service import application, connections, lifecycle, limits

Start = Callable[[application.Service], Awaitable[str]]


@pytest.fixture
def example() -> Example:
    return Example()


@pytest.fixture
async def port(start: Start, example: Example) -> int:
    return int((await start(example.build())).rpartition(":")[2])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEAD_TIMEOUT_S", 0.05)
    monkeypatch.setattr(connections, "LINGER_S", 0.05)
    monkeypatch.setattr(lifecycle, "TICK_S", 0.1)


def test_the_limit_is_ten_seconds() -> None:
    assert limits.HEAD_TIMEOUT_S == 10.0


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
        await asyncio.sleep(0.3)  # longer than the server's look at its connections
    writer.close()
    await writer.wait_closed()


async def test_headers_without_end_are_not_kept(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /hello HTTP/1.1\r\nX-A: ")
    sent = 0
    while sent <= limits.MAX_HEAD_BYTES:
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


async def test_requests_behind_each_other_are_answered_in_order(port: int) -> None:
    post = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    answer = await converse(port, get("/hello") + post + get("/no") + get("/hello", "Connection: close"))
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"200", b"404", b"200"]
    assert (
        answer.index(b"hello") < answer.index(b"abc") < answer.index(b"Not Found") < answer.rindex(b"hello")
    )


async def test_a_quick_request_waits_for_the_slow_one_before_it(port: int, example: Example) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get("/slow/a") + get("/hello") + get("/slow/b") + get("/hello"))
    await eventually(lambda: example.begun == ["a"])
    example.gate.set()
    assert [(await read_answer(reader))[2] for _ in range(4)] == [b"a", b"hello", b"b", b"hello"]
    writer.write(get("/hello"))
    assert (await read_answer(reader))[2] == b"hello"
    writer.close()
    await writer.wait_closed()


async def test_what_is_no_request_is_told_after_the_answers_before_it(port: int, example: Example) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get("/slow/a") + b"nonsense\r\n\r\n")
    await eventually(lambda: example.begun == ["a"])
    example.gate.set()
    assert (await read_answer(reader))[:1] == (200,)
    status, fields, _ = await read_answer(reader)
    assert (status, fields["connection"]) == (400, "close")
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_a_request_whose_client_goes_away_is_cancelled(port: int, example: Example) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get("/slow/a"))
    await eventually(lambda: example.begun == ["a"])
    writer.close()
    await eventually(lambda: example.cancelled == ["a"])
    await eventually(lambda: example.metrics.in_flight == 0)
    text, _ = example.metrics.render("")
    assert b'_count{code="499",method="GET",route="/slow/{name}"} 1.0' in text


async def test_who_goes_away_at_once_is_counted_like_the_others(port: int, example: Example) -> None:
    """The connection can be lost before the task of its request has begun."""
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(get("/slow/a"))
        await writer.drain()
        writer.transport.abort()
    await eventually(lambda: len(example.cancelled) == len(example.begun) and example.metrics.in_flight == 0)


async def test_a_client_that_does_not_read_is_not_served_on(port: int, example: Example) -> None:
    """What is kept for it is bounded, and when it reads, it gets everything."""
    count = 150
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(narrow, ("127.0.0.1", port))
        sending = asyncio.create_task(loop.sock_sendall(narrow, get("/large") * count))
        await eventually(lambda: served(example) > 0)
        before = -1
        while served(example) != before:
            before = served(example)
            await asyncio.sleep(0.2)
        assert before < count
        assert before * LARGE < 8 * 1024 * 1024
        received = 0
        async with asyncio.timeout(60):
            while received < count * LARGE:
                received += len(await loop.sock_recv(narrow, 1 << 20))
            await sending
    assert served(example) == count


def served(example: Example) -> int:
    text, _ = example.metrics.render("")
    return sum(int(float(value)) for value in re.findall(rb"_count\{[^}]*\} ([0-9.]+)", text))


async def test_a_client_that_never_reads_is_given_up(
    port: int, example: Example, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WRITE_TIMEOUT_S", 0.05)
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(narrow, ("127.0.0.1", port))

        async def send_for_ever() -> None:
            while True:
                await loop.sock_sendall(narrow, get("/large") * 1000)

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(send_for_ever(), 20)


async def test_a_request_that_comes_in_drops_is_served(port: int) -> None:
    request = b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
    answer = await converse(port, *(bytes([byte]) for byte in request), pause_s=0.001)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nhello")


async def test_who_sends_too_much_can_read_why(port: int) -> None:
    """Closing at once would reset the connection, and the answer would be lost with it."""
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n"
    answer = await converse(port, head, *[b"b" * 65536] * 20)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"error":"the body is longer than' in answer


async def test_who_is_refused_and_stays_is_cut_off(port: int, impatient: None) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"nonsense\r\n\r\n")
    assert (await read_answer(reader))[0] == 400
    assert await reader.read() == b""

    async def send_for_ever() -> None:
        while True:
            writer.write(b"more")
            await writer.drain()
            await asyncio.sleep(0.01)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(send_for_ever(), 20)


async def test_who_is_refused_while_answers_wait_gets_them_all(
    port: int, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    # How fast this machine is must not decide whether the client took its answers in time.
    monkeypatch.setattr(limits, "WRITE_TIMEOUT_S", 120)
    monkeypatch.setattr(connections, "LINGER_S", 120)
    count = 60
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        narrow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(narrow, ("127.0.0.1", port))
        await loop.sock_sendall(narrow, get("/large") * count + b"nonsense\r\n\r\n")
        await eventually(lambda: served(example) > 0)
        received = b""
        async with asyncio.timeout(60):
            while part := await loop.sock_recv(narrow, 1 << 20):
                received += part
    assert received.count(b"HTTP/1.1 200 ") == count
    assert received[-1000:].count(b"HTTP/1.1 400 ") == 1


async def test_a_waiting_body_is_asked_for(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"ab")
    assert (await read_answer(reader))[2] == b"ab"
    writer.write(b"PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
    assert (await read_answer(reader))[0] == 413
    writer.close()
    await writer.wait_closed()


async def test_a_waiting_body_is_asked_for_after_the_answers_before_it(port: int, example: Example) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    waiting = b"PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    writer.write(get("/slow/a") + waiting)
    await eventually(lambda: example.begun == ["a"])
    example.gate.set()
    assert (await read_answer(reader))[2] == b"a"
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    writer.write(b"ab")
    assert (await read_answer(reader))[2] == b"ab"
    writer.close()
    await writer.wait_closed()


async def test_heads_of_answers(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for method, path in (("GET", "/hello"), ("HEAD", "/hello"), ("GET", "/empty"), ("OPTIONS", "/hello")):
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        status, fields, body = await read_answer(reader, has_body=method != "HEAD")
        assert abs((parsedate_to_datetime(fields["date"]) - datetime.now(UTC)).total_seconds()) < 60
        assert fields["bookinfo-pod"] == "pod-1"
        assert "connection" not in fields
        if path == "/hello" and method != "OPTIONS":
            assert (status, fields["content-length"]) == (200, "5")
            assert body == (b"hello" if method == "GET" else b"")
        else:
            assert (status, body, fields.get("content-length")) == (204, b"", None)
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /hello HTTP/1.0\r\n\r\n",
        b"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        get("/hello", "Connection: close"),
        get("/hello", "Connection: upgrade", "Upgrade: websocket"),
    ],
)
async def test_the_server_closes_when_no_request_can_follow(port: int, request_bytes: bytes) -> None:
    answer = await converse(port, request_bytes)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(b"hello")


async def test_a_body_that_does_not_come_is_given_up(
    port: int, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_TIMEOUT_S", 0.05)
    answer = await converse(port, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body took longer than" in answer


async def test_a_connection_that_is_idle_for_too_long_is_closed(
    port: int, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "IDLE_TIMEOUT_S", 0.05)
    answer = await converse(port, get("/hello"))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"hello")


sent = st.lists(
    st.one_of(
        st.sampled_from(
            [
                get("/hello"),
                get("/large"),
                get("/empty"),
                get("/hello", "Connection: close"),
                b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
                b"HEAD /large HTTP/1.1\r\nHost: x\r\n\r\n",
                b"\r\n",
                b"\x00",
            ]
        ),
        st.binary(max_size=30),
    ),
    max_size=8,
)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(parts=sent)
def test_whatever_is_sent_the_server_answers_closes_and_goes_on(parts: list[bytes]) -> None:
    """Bytes end with a request to close, or are refused before it: in no case does the connection hang."""

    async def check() -> None:
        service = Example().build()
        listener = lifecycle.listen("127.0.0.1", 0)
        server = lifecycle.Server(service)
        task = asyncio.create_task(server.serve(listener))
        port = listener.getsockname()[1]
        answer = await converse(port, *parts, b"\r\n\r\n" + get("/hello", "Connection: close"))
        assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
        assert (await converse(port, get("/hello", "Connection: close"))).endswith(b"hello")
        server.stop(0.0)
        server.stop(0.0)
        await task

    uvloop.run(check())
