from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.local_ports import free_port

from bookinfo.service import asking, upstream

To = Callable[..., upstream.Upstream]


@pytest.fixture
def to(backend: Any) -> Iterator[To]:
    """The made-up service, as a caller sees it."""
    with ExitStack() as stack:

        def open_upstream(timeout_s: float = 5.0, *, reuse_connections: bool = True) -> upstream.Upstream:
            opened = upstream.Upstream(
                base_url=f"http://{backend.host}:{backend.port}",
                timeout_s=timeout_s,
                reuse_connections=reuse_connections,
            )
            stack.callback(opened.close)
            return opened

        yield open_upstream


async def test_answer_comes_with_version_and_pod(to: To, backend: Any) -> None:
    backend.status, backend.body, backend.headers = 418, "short and stout", {"bookinfo-version": "v7"}
    answer = await to().get("/ratings/0", {"end-user": "jason"})
    assert (answer.status, answer.body) == (418, b"short and stout")
    assert (answer.header("bookinfo-version"), answer.header("bookinfo-pod")) == ("v7", "backend-v7-abc")
    assert backend.seen[0].path == "/ratings/0"
    assert backend.sent(0)["end-user"] == "jason"


async def test_nothing_is_sent_that_nobody_asked_for(to: To, backend: Any) -> None:
    await to().get("/", {})
    assert set(backend.sent(0)) == {"host", "accept"}


async def test_slow_answer_is_given_up(to: To, backend: Any) -> None:
    backend.hangs = True
    with pytest.raises(upstream.NoAnswerError, match=r"gave no answer within 0\.05 s"):
        await to(0.05).get("/", {})


async def test_answer_that_is_too_long_is_given_up(to: To, backend: Any) -> None:
    backend.body = "x" * (asking.MAX_ANSWER_BYTES + 1)
    with pytest.raises(upstream.NoAnswerError, match="more than"):
        await to().get("/", {})


async def test_service_that_is_not_there_is_no_answer() -> None:
    port = free_port()
    nobody = upstream.Upstream(base_url=f"http://127.0.0.1:{port}", timeout_s=1)
    with pytest.raises(upstream.NoAnswerError, match=f"http://127.0.0.1:{port}/x gave no answer"):
        await nobody.get("/x", {})


async def test_redirect_is_an_answer_and_is_not_followed(to: To, backend: Any) -> None:
    backend.status, backend.headers = 302, {"location": "http://192.0.2.1/"}
    assert (await to().get("/", {})).status == 302


@pytest.mark.parametrize(("reuse", "connections"), [(True, 1), (False, 3)])
async def test_connections_are_used_again_unless_told_otherwise(
    to: To, backend: Any, reuse: bool, connections: int
) -> None:
    service = to(reuse_connections=reuse)
    for _ in range(3):
        await service.get("/", {})
    assert len({request.client for request in backend.seen}) == connections
