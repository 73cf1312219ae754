from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from bookinfo.service import answers, application, limits, logs, metrics, settings
from bookinfo.service.answers import Response
from bookinfo.service.requests import Request
from bookinfo.service.routes import Route

Start = Callable[[application.Service], Awaitable[str]]


def build(**variables: str) -> application.Service:
    def read(request: Request) -> Response:
        return answers.json({"bytes": len(request.body)})

    def fail(_request: Request) -> Response:
        raise RuntimeError("a bug")

    async def hang(_request: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    def show_trace(_request: Request) -> Response:
        return answers.json({"trace_id": logs.TRACE_ID.get()})

    routes = [
        Route("/", read),
        Route("/read/{name}", read, methods=("POST",)),
        Route("/fail", fail),
        Route("/hang", hang),
        Route("/trace", show_trace),
    ]
    common = settings.read(
        settings.Environment({"HOSTNAME": "pod-1", **variables}), "example", host=None, port=0
    )
    return application.build(common, routes=routes, metrics=metrics.Metrics("example", "v9"))


async def test_health_of_process_and_readiness_are_told_apart(
    start: Start, client: aiohttp.ClientSession
) -> None:
    service = build()
    url = await start(service)
    assert (await client.get(f"{url}/livez")).status == 200
    assert (await client.get(f"{url}/readyz")).status == 200
    service.readiness.drain()
    assert (await client.get(f"{url}/livez")).status == 200
    draining = await client.get(f"{url}/readyz")
    assert draining.status == 503
    assert draining.headers["connection"] == "close"


async def test_answer_names_pod_and_version(start: Start, client: aiohttp.ClientSession) -> None:
    answer = await client.get(await start(build(SERVICE_VERSION="v9")))
    assert answer.headers["bookinfo-pod"] == "pod-1"
    assert answer.headers["bookinfo-version"] == "v9"


async def test_root_name_replaces_the_root_page(start: Start, client: aiohttp.ClientSession) -> None:
    answer = await client.get(await start(build(BOOKINFO_ROOT_NAME="review-v1")))
    assert await answer.text() == "review-v1"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


async def test_bug_in_a_handler_is_500_and_logged_once(
    start: Start, client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get(await start(build()) + "/fail")
    assert answer.status == 500
    assert "a bug" not in await answer.text()
    assert [record.message for record in caplog.records if record.exc_info] == ["request failed"]


async def test_unknown_path_and_wrong_method_are_json_errors(
    start: Start, client: aiohttp.ClientSession
) -> None:
    url = await start(build())
    missing = await client.get(f"{url}/nowhere")
    assert (missing.status, await missing.json()) == (404, {"error": "Not Found"})
    wrong = await client.delete(f"{url}/fail")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    options = await client.options(f"{url}/fail")
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


async def test_trace_id_reaches_the_handler(start: Start, client: aiohttp.ClientSession) -> None:
    answer = await client.get(await start(build()) + "/trace", headers={"x-b3-traceid": "0" * 15 + "1"})
    assert await answer.json() == {"trace_id": "0" * 15 + "1"}


async def test_metrics_count_by_route_and_never_by_path(start: Start, client: aiohttp.ClientSession) -> None:
    url = await start(build())
    for path in ("/read/one", "/read/two"):
        await client.post(url + path)
    await client.get(f"{url}/somewhere/else")
    text = await (await client.get(f"{url}/metrics")).text()
    assert (
        'http_server_request_duration_seconds_count{code="200",method="POST",route="/read/{name}"} 2.0'
        in text
    )
    assert 'code="404",method="GET",route="unmatched"' in text
    assert 'bookinfo_build_info{service="example",version="v9"} 1.0' in text
    assert "http_server_active_requests 1.0" in text
    assert "somewhere" not in text


async def test_body_beyond_the_limit_is_refused_announced_or_not(
    start: Start, client: aiohttp.ClientSession
) -> None:
    url = await start(build()) + "/read/x"
    assert await (await client.post(url, data=b"x" * limits.MAX_BODY_BYTES)).json() == {
        "bytes": limits.MAX_BODY_BYTES
    }
    assert (await client.post(url, data=b"x" * (limits.MAX_BODY_BYTES + 1))).status == 413

    async def parts():  # type: ignore[no-untyped-def]
        for _ in range(5):
            yield b"x" * 16 * 1024

    assert (await client.post(url, data=parts())).status == 413


async def test_body_that_does_not_arrive_is_given_up(
    start: Start, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_TIMEOUT_S", 0.05)
    port = int((await start(build())).rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /read/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
    assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    writer.close()
    await writer.wait_closed()


async def test_headers_and_targets_beyond_the_limit_are_refused(
    start: Start, client: aiohttp.ClientSession
) -> None:
    url = await start(build())
    assert (await client.get(url, headers={"x": "y" * limits.MAX_HEADER_BYTES})).status == 431
    assert (await client.get(f"{url}/?{'q' * limits.MAX_TARGET_BYTES}")).status == 414
    assert (await client.get(url)).status == 200


async def test_a_handler_that_does_not_end_is_cancelled(
    start: Start,
    client: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(limits, "REQUEST_TIMEOUT_S", 0.05)
    answer = await client.get(await start(build()) + "/hang")
    assert (answer.status, await answer.json()) == (503, {"error": "this took too long"})
    assert "request cancelled" in [record.message for record in caplog.records]


async def test_any_scrape_gets_a_format_it_can_read(start: Start, client: aiohttp.ClientSession) -> None:
    url = await start(build()) + "/metrics"
    for accept in (
        "application/openmetrics-text; version=nonsense",
        "application/openmetrics-text",
        "*/*",
        "",
    ):
        answer = await client.get(url, headers={"accept": accept})
        assert answer.status == 200
        assert (answer.content_type == "application/openmetrics-text") is ("openmetrics" in accept)
