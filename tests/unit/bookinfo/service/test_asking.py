from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.bookinfo.service.scripted import Visit, serving

from bookinfo.service import asking

ASK = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def ask(*answer: bytes, closes: bool = True, pause_s: float = 0.0) -> tuple[asking.Answer, bool]:
    """Return what a client makes of the bytes of an answer, and whether it would use the connection again."""

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(*answer, pause_s=pause_s)
        if not closes:
            await visit.request()

    async with serving(script) as server:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: asking.ClientConnection(lambda _: None), "127.0.0.1", server.port
        )
        try:
            async with asyncio.timeout(20):
                return await connection.ask(ASK), connection.is_reusable
        finally:
            connection.close()


@pytest.mark.parametrize(
    ("answer", "body", "is_reusable"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", b"ok", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok", b"ok", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", b"ok", False),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", b"ok", True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", b"ok", True),
        (
            b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            b"",
            True,
        ),
    ],
)
async def test_an_answer_is_taken_in_all_its_forms(answer: bytes, body: bytes, is_reusable: bool) -> None:
    found, is_kept = await ask(answer, closes=False)
    assert (found.status, found.body, is_kept) == (200, body, is_reusable)


@pytest.mark.parametrize("status", [204, 304])
async def test_some_answers_never_have_a_body(status: int) -> None:
    found, is_kept = await ask(b"HTTP/1.1 %d X\r\n\r\n" % status, closes=False)
    assert (found.status, found.body, is_kept) == (status, b"", True)


async def test_without_a_length_the_end_of_the_connection_ends_the_answer() -> None:
    found, is_kept = await ask(b"HTTP/1.1 200 OK\r\n\r\n", b"un", b"til", pause_s=0.01)
    assert (found.body, is_kept) == (b"until", False)


async def test_headers_are_told() -> None:
    found, _ = await ask(b"HTTP/1.1 200 OK\r\nBookinfo-Pod: a\r\ncontent-length: 0\r\n\r\n")
    assert found.header("bookinfo-pod") == "a"
    assert found.header("bookinfo-version") is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"nonsense\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok", "broke off"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\no", "broke off"),
        (b"HTTP/1.1 200 OK\r\n", "broke off"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            "another protocol",
        ),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * (asking.MAX_HEAD_BYTES + 70_000), "headers have more than"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * (asking.MAX_ANSWER_BYTES + 1), "more than 1048576 bytes"),
    ],
)
async def test_what_is_no_answer_says_why(answer: bytes, reason: str) -> None:
    with pytest.raises(asking.AnswerError, match=reason) as failed:
        await ask(answer)
    assert not isinstance(failed.value, asking.NothingReceivedError)


async def test_nothing_at_all_is_told_apart() -> None:
    with pytest.raises(asking.NothingReceivedError):
        await ask()


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    b"HTTP/1.1 200 OK\r\n",
                    b"HTTP/1.1 100 Continue\r\n\r\n",
                    b"content-length: 2\r\n",
                    b"transfer-encoding: chunked\r\n",
                    b"\r\n",
                    b"2\r\nok\r\n0\r\n\r\n",
                    b"ok",
                ]
            ),
            st.binary(max_size=12),
        ),
        max_size=7,
    )
)
def test_any_bytes_are_an_answer_or_an_error(parts: list[bytes]) -> None:
    async def check() -> None:
        try:
            answer, _ = await ask(*parts)
        except asking.AnswerError:
            return
        assert 200 <= answer.status <= 999

    asyncio.run(check())
