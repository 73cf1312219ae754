"""Spans: with an endpoint set, the four services make one trace that joins the caller's; seen by a tiny collector."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from tests.bookinfo import asking, processes

Start = Callable[..., processes.Process]

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "tracestate": "vendor=1"}
B3 = {"x-b3-traceid": TRACE_ID, "x-b3-spanid": SPAN_ID, "x-b3-sampled": "1"}

pytestmark = pytest.mark.usefixtures("ours")


@dataclass(frozen=True)
class Seen:
    """A span that was collected; ids in hexadecimal digits."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    is_error: bool


@pytest.fixture
def collector() -> Iterator[processes.Neighbour]:
    with processes.neighbour() as made_up:
        made_up.answer, made_up.content_type = b"", "application/x-protobuf"
        yield made_up


def collected(collector: processes.Neighbour) -> list[Seen]:
    """Decode what the collector has got."""
    seen = []
    for request in collector.requests:
        assert (request.method, request.path) == ("POST", "/v1/traces")
        assert request.headers["content-type"] == "application/x-protobuf"
        for group in ExportTraceServiceRequest.FromString(request.body).resource_spans:
            resource = attributes_of(group.resource.attributes)
            for scope in group.scope_spans:
                seen += [build(str(resource["service.name"]), span) for span in scope.spans]
    return seen


def build(service: str, span: Span) -> Seen:
    return Seen(
        service=service,
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        attributes=attributes_of(span.attributes),
        is_error=span.status.code == Status.STATUS_CODE_ERROR,
    )


def attributes_of(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


@pytest.fixture
def services(start: Start, collector: processes.Neighbour) -> dict[str, processes.Process]:
    """All four, sending spans to the collector; in the order in which they call each other."""
    to = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    ratings = start("ratings", **to)
    details = start("details", **to)
    reviews = start("reviews", SERVICE_VERSION="v2", **to, **processes.wiring(ratings=ratings.url))
    wires = processes.wiring(details=details.url, reviews=reviews.url, ratings=ratings.url)
    page = start("productpage", **to, **wires)
    return {"productpage": page, "reviews": reviews, "ratings": ratings, "details": details}


def stop_all(services: dict[str, processes.Process]) -> None:
    for process in services.values():
        assert process.stop() == 0


@pytest.mark.parametrize("sent", [TRACEPARENT, B3], ids=["w3c", "b3"])
def test_one_request_is_one_trace_with_the_right_parents(
    services: dict[str, processes.Process], collector: processes.Neighbour, sent: dict[str, str]
) -> None:
    answer = asking.ask(services["productpage"].url, "/productpage", headers={**sent, "user-agent": "me"})
    assert "Book Reviews" in answer.text
    asking.ask(services["productpage"].url, "/health", headers=sent)
    stop_all(services)
    spans = collected(collector)
    assert {span.trace_id for span in spans} == {TRACE_ID}
    by_id = {span.span_id: span for span in spans}
    tree = sorted(
        (span.service, span.kind, span.name, getattr(by_id.get(span.parent_id), "service", span.parent_id))
        for span in spans
    )
    assert tree == [
        ("details", "server", "GET /details/{product_id}", "productpage"),
        ("productpage", "client", "GET", "productpage"),
        ("productpage", "client", "GET", "productpage"),
        ("productpage", "server", "GET /productpage", SPAN_ID),
        ("ratings", "server", "GET /ratings/{product_id}", "reviews"),
        ("reviews", "client", "GET", "reviews"),
        ("reviews", "server", "GET /reviews/{product_id}", "productpage"),
    ]
    for span in spans:
        if span.kind == "server" and span.parent_id in by_id:
            caller = by_id[span.parent_id]
            assert caller.kind == "client"
            assert str(caller.attributes["url.full"]).endswith(str(span.attributes["url.path"]))


def test_attributes_follow_the_stable_conventions(
    services: dict[str, processes.Process], collector: processes.Neighbour
) -> None:
    url = services["productpage"].url
    asking.ask(url, "/api/v1/products/3?x=y", headers={"user-agent": "me"})
    stop_all(services)
    spans = collected(collector)
    (server,) = [span for span in spans if (span.service, span.kind) == ("productpage", "server")]
    (client,) = [span for span in spans if span.kind == "client"]
    port = int(url.rpartition(":")[2])
    common = {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
    }
    assert server.attributes.pop("client.port") > 0
    assert server.attributes == common | {
        "http.route": "/api/v1/products/{product_id}",
        "url.scheme": "http",
        "url.path": "/api/v1/products/3",
        "url.query": "x=y",
        "server.port": port,
        "client.address": "127.0.0.1",
        "network.protocol.version": "1.1",
        "user_agent.original": "me",
    }
    details = services["details"].url
    assert client.attributes == common | {
        "url.full": f"{details}/details/3",
        "server.port": int(details.rpartition(":")[2]),
    }
    assert server.parent_id == ""
    lines = services["details"].log_lines()
    assert [line["trace_id"] for line in lines if line["message"] == "request"] == [server.trace_id]


def test_failures_are_errors_and_the_second_attempt_says_so(
    start: Start, collector: processes.Neighbour
) -> None:
    nobody = dict.fromkeys(("details", "reviews", "ratings"), "http://127.0.0.1:1")
    page = start("productpage", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **processes.wiring(**nobody))
    assert asking.ask(page.url, "/api/v1/products/0/reviews").status == 500
    assert asking.ask(page.url, "/nowhere").status == 404
    assert page.stop() == 0
    spans = collected(collector)
    calls = [span for span in spans if span.kind == "client"]
    assert [span.attributes.get("http.request.resend_count") for span in calls] == [None, 1]
    assert all(span.is_error for span in calls)
    assert {span.attributes["error.type"] for span in calls} == {"ConnectionRefusedError"}
    failed, missing = [span for span in spans if span.kind == "server"]
    assert (failed.is_error, failed.attributes["error.type"]) == (True, "500")
    assert (missing.is_error, missing.name) == (False, "GET")
    assert "http.route" not in missing.attributes


def test_what_the_caller_does_not_sample_is_not_sent(
    services: dict[str, processes.Process], collector: processes.Neighbour
) -> None:
    for sent in (
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-00"},
        {"b3": "0"},
        {"x-b3-sampled": "0"},
        {"b3": f"{TRACE_ID}-{SPAN_ID}-0"},
    ):
        assert asking.ask(services["productpage"].url, "/productpage", headers=sent).status == 200
    stop_all(services)
    assert collected(collector) == []


def test_a_collector_that_is_down_harms_nobody(start: Start) -> None:
    process = start("details", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert asking.ask(process.url, "/details/0").status == 200
    began = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - began < 9.9, "3 s of trying, not the 10 s of the library"
