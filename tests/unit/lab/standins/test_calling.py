from __future__ import annotations

import pytest
from tests.unit.lab.standins import small_servers

from bookmesh.lab.standins import calling

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n4\r\n you\r\n0\r\nend: yes\r\n\r\n"
)


def test_a_url_becomes_a_request() -> None:
    target = calling.parse_target("httpbin:8000/get?a=1", ["X-Test: 1"])
    assert (target.host, target.port, target.path, target.is_tls) == ("httpbin", 8000, "/get?a=1", False)
    assert target.request().startswith(b"GET /get?a=1 HTTP/1.1\r\nHost: httpbin:8000\r\n")
    assert b"X-Test: 1\r\n" in target.request()
    assert calling.parse_target("https://a").port == 443


def test_a_payload_is_posted_and_a_host_header_is_the_callers() -> None:
    request = calling.parse_target("http://a/", ["Host: b"], b"xyz").request()
    assert request.startswith(b"POST / HTTP/1.1\r\n")
    assert request.endswith(b"Content-Length: 3\r\n\r\nxyz")
    assert request.count(b"Host:") == 1


@pytest.mark.parametrize("url", ["ftp://x", "http://"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no http or https URL"):
        calling.parse_target(url)


@pytest.mark.parametrize(
    ("answer", "body", "opened"),
    [
        (OK, b"hi", 1),
        (CHUNKED, b"hi you", 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", 1),
        (OK.replace(b"content", b"connection: close\r\ncontent"), b"hi", 2),
    ],
)
async def test_bodies_and_whether_the_connection_is_kept(answer: bytes, body: bytes, opened: int) -> None:
    async with small_servers.answering_with([answer]) as port:
        connection = calling.Connection(calling.parse_target(f"http://127.0.0.1:{port}/"))
        first, second = await connection.call(), await connection.call()
        await connection.close()
    assert first.head == answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert (first.body, second.body, connection.opened) == (body, body, opened)


async def test_a_body_may_end_with_the_connection() -> None:
    async with small_servers.answering_with([b"HTTP/1.0 200 OK\r\n\r\nall of it"], closes=True) as port:
        connection = calling.Connection(calling.parse_target(f"http://127.0.0.1:{port}/"))
        reply = await connection.call()
        await connection.close()
    assert reply.body == b"all of it"


async def test_a_broken_answer_is_an_error() -> None:
    async with small_servers.answering_with(
        [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi"], closes=True
    ) as port:
        connection = calling.Connection(calling.parse_target(f"http://127.0.0.1:{port}/"))
        with pytest.raises(ConnectionError):
            await connection.call()
    async with small_servers.answering_with([b"SSH-2.0\r\n\r\n"], closes=True) as port:
        connection = calling.Connection(calling.parse_target(f"http://127.0.0.1:{port}/"))
        with pytest.raises(ValueError, match="not HTTP"):
            await connection.call()
