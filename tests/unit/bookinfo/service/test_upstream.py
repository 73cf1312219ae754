from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bookinfo.service import lifecycle, upstream


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with upstream.open_session(reuse_connections=True) as opened:
        yield opened


def to(session: aiohttp.ClientSession, backend: Any, timeout_s: float = 5.0) -> upstream.Upstream:
    return upstream.Upstream(session, base_url=f"http://{backend.host}:{backend.port}", timeout_s=timeout_s)


async def test_answer_comes_with_version_and_pod(session: aiohttp.ClientSession, backend: Any) -> None:
    backend.status, backend.body, backend.headers = 418, "short and stout", {"bookinfo-version": "v7"}
    answer = await to(session, backend).get("/ratings/0", {"end-user": "jason"})
    assert (answer.status, answer.body) == (418, b"short and stout")
    assert (answer.version, answer.pod) == ("v7", "backend-v7-abc")
    assert backend.seen[0].url.path == "/ratings/0"
    assert backend.seen[0].headers["end-user"] == "jason"


async def test_nothing_is_sent_that_nobody_asked_for(session: aiohttp.ClientSession, backend: Any) -> None:
    await to(session, backend).get("/", {})
    assert set(backend.seen[0].headers) == {"host", "accept"}


async def test_slow_answer_is_given_up(session: aiohttp.ClientSession, backend: Any) -> None:
    backend.hangs = True
    with pytest.raises(upstream.NoAnswerError, match=r"gave no answer within 0\.05 s"):
        await to(session, backend, 0.05).get("/", {})


async def test_answer_that_is_too_long_is_given_up(session: aiohttp.ClientSession, backend: Any) -> None:
    backend.body = "x" * (upstream.MAX_ANSWER_BYTES + 1)
    with pytest.raises(upstream.NoAnswerError, match="more than"):
        await to(session, backend).get("/", {})


async def test_service_that_is_not_there_is_no_answer(session: aiohttp.ClientSession) -> None:
    with lifecycle.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    nobody = upstream.Upstream(session, base_url=f"http://127.0.0.1:{port}", timeout_s=1)
    with pytest.raises(upstream.NoAnswerError, match=f"http://127.0.0.1:{port}/x gave no answer"):
        await nobody.get("/x", {})


async def test_redirect_is_an_answer_and_is_not_followed(
    session: aiohttp.ClientSession, backend: Any
) -> None:
    backend.status, backend.headers = 302, {"location": "http://192.0.2.1/"}
    assert (await to(session, backend).get("/", {})).status == 302


@pytest.mark.parametrize(("reuse", "connections"), [(True, 1), (False, 3)])
async def test_connections_are_used_again_unless_told_otherwise(
    backend: Any, reuse: bool, connections: int
) -> None:
    async with upstream.open_session(reuse_connections=reuse) as session:
        for _ in range(3):
            await to(session, backend).get("/", {})
    assert len({request.client for request in backend.seen}) == connections
