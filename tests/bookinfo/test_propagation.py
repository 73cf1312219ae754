"""Headers: which a service passes on, seen by a neighbour that records what it gets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.bookinfo import asking, processes

Start = Callable[..., processes.Process]

PASSED_ON = {
    "x-request-id": "34eeb41d-d267-9e49-8b84-dde403fc5b72",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "vendor=1,other=2",
    "baggage": "key=value",
    "b3": "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1",
    "x-b3-traceid": "80f198ee56343ba864fe8b2a57d3eff7",
    "x-b3-spanid": "e457b5a2e4d86bd1",
    "x-b3-parentspanid": "05e3ac9a4f6e3b90",
    "x-b3-sampled": "1",
    "x-b3-flags": "1",
    "x-ot-span-context": "a;b;c",
    "x-cloud-trace-context": "105445aa7843bc8bf206b12000100000/1;o=1",
    "grpc-trace-bin": "AADNkP2pP4uGQqX1p",
    "sw8": "40c7fdf104e3de67",
    "x-datadog-trace-id": "1",
    "x-datadog-parent-id": "2",
    "x-datadog-sampling-priority": "1",
    "user-agent": "a browser",
    "cookie": "a=b; session=c",
    "authorization": "Bearer x",
    "jwt": "y",
}
KEPT = {"x-unknown": "1", "accept-language": "en", "x-forwarded-for": "10.0.0.1", "referer": "http://x/"}


@pytest.fixture
def page(start: Start, neighbour: processes.Neighbour, ours: None) -> str:
    wires = dict.fromkeys(("details", "reviews", "ratings"), neighbour.url)
    return start("productpage", **processes.wiring(**wires)).url


@pytest.fixture
def reviews(start: Start, neighbour: processes.Neighbour, ours: None) -> str:
    return start("reviews", SERVICE_VERSION="v2", **processes.wiring(ratings=neighbour.url)).url


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/productpage", {"/details/0", "/reviews/0"}),
        ("/api/v1/products/5", {"/details/5"}),
        ("/api/v1/products/5/reviews", {"/reviews/5"}),
        ("/api/v1/products/5/ratings", {"/ratings/5"}),
    ],
)
def test_the_page_passes_headers_on(
    page: str, neighbour: processes.Neighbour, path: str, asked: set[str]
) -> None:
    assert asking.ask(page, path, headers={**PASSED_ON, **KEPT}).status == 200
    assert {request.path for request in neighbour.requests} == asked
    for request in neighbour.requests:
        assert {name: request.headers.get(name) for name in PASSED_ON} == PASSED_ON
        assert not KEPT.keys() & request.headers.keys()


def test_reviews_pass_headers_and_the_user_on(reviews: str, neighbour: processes.Neighbour) -> None:
    sent = {**PASSED_ON, "end-user": "jason"}
    asking.ask(reviews, "/reviews/0", headers={**sent, **KEPT})
    (request,) = neighbour.requests
    assert {name: request.headers.get(name) for name in sent} == sent
    assert not KEPT.keys() & request.headers.keys()


def test_the_user_is_who_the_session_says(page: str, neighbour: processes.Neighbour) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = asking.ask(page, "/login", method="POST", headers=form, body="username=jason&passwd=x")
    cookie = answer.cookies[0].partition(";")[0]
    asking.ask(page, "/productpage", headers={"cookie": cookie, "end-user": "somebody else"})
    assert {request.headers.get("end-user") for request in neighbour.requests} == {"jason"}
    neighbour.requests.clear()
    asking.ask(page, "/productpage", headers={"end-user": "jason"})
    assert {request.headers.get("end-user") for request in neighbour.requests} == {None}


def test_trace_ids_are_in_the_log(start: Start, ours: None) -> None:
    process = start("details")
    asking.ask(process.url, "/details/0", headers={"traceparent": PASSED_ON["traceparent"]})
    asking.ask(process.url, "/details/0", headers={"b3": PASSED_ON["b3"], "x-request-id": "r-1"})
    asking.ask(process.url, "/health")
    assert process.stop() == 0
    served = [line for line in process.log_lines() if line["message"] == "request"]
    assert [line["trace_id"] for line in served] == [
        "0af7651916cd43dd8448eb211c80319c",
        "80f198ee56343ba864fe8b2a57d3eff7",
    ]
    assert served[1]["request_id"] == "r-1"
    for line in served:
        assert (line["service"], line["level"], line["status"]) == ("details", "info", 200)
        assert (line["method"], line["path"]) == ("GET", "/details/0")
        assert line["duration_ms"] >= 0
        assert line["time"].endswith("+00:00")
