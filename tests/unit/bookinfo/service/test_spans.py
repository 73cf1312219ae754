from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bookinfo.service import settings, spans
from bookinfo.service.requests import Request

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


class Sent:
    """Stands in for the exporter: keeps what it gets."""

    def __init__(self, **_options: Any) -> None:
        self.spans: list[Any] = []

    def export(self, batch: Any) -> None:
        self.spans.extend(batch)

    def shutdown(self) -> None:
        """Nothing to close."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    exporter = Sent()
    monkeypatch.setattr(spans, "OTLPSpanExporter", lambda endpoint: exporter)
    return exporter


@pytest.fixture
def tracing(sent: Sent) -> spans.Spans:
    environment = settings.Environment({"SERVICE_VERSION": "v2", "HOSTNAME": "pod-1"})
    return spans.Spans(settings.read(environment, "example", host=None, port=0), "http://collector/v1/traces")


def asked(*headers: tuple[bytes, bytes], method: str = "GET") -> Request:
    return Request(
        method, "/books/1", headers=list(headers), client=("10.0.0.1", 5000), server=("10.0.0.2", 9080)
    )


def serve(tracing: spans.Spans, **options: Any) -> spans.Serving:
    serving = tracing.serve(asked(**options))
    assert serving is not None
    return serving


def test_spans_are_sent_when_it_stops(tracing: spans.Spans, sent: Sent) -> None:
    serve(tracing).end(route="/books/{id}", status=200, error=None)
    tracing.stop()
    (span,) = sent.spans
    assert span.name == "GET /books/{id}"
    assert span.parent is None
    resource = span.resource.attributes
    assert (resource["service.name"], resource["service.version"]) == ("example", "v2")
    assert resource["service.instance.id"] == "pod-1"


def test_the_address_is_what_the_caller_asked_for() -> None:
    for host, expected in (
        (b"shop.example", ("shop.example", 80)),
        (b"shop.example:8080", ("shop.example", 8080)),
        (b"[::1]:80", ("[::1]", 80)),
        (b"shop:x", ("shop:x", 80)),
        ("\xb2:\xb2".encode("latin-1"), ("\xb2:\xb2", 80)),
    ):
        attributes = spans.server_attributes(asked((b"host", host)))
        assert (attributes["server.address"], attributes["server.port"]) == expected


def test_a_made_up_method_does_not_become_a_name(tracing: spans.Spans, sent: Sent) -> None:
    serving = tracing.serve(asked(method="BREW"))
    assert serving is not None
    serving.end(route=None, status=405, error=None)
    tracing.stop()
    (span,) = sent.spans
    assert span.name == "HTTP"
    assert span.attributes["http.request.method"] == "_OTHER"
    assert span.attributes["http.request.method_original"] == "BREW"


def test_an_exception_is_recorded_with_its_kind(tracing: spans.Spans, sent: Sent) -> None:
    serve(tracing).end(route="/", status=500, error=RuntimeError("a bug"))
    tracing.stop()
    (span,) = sent.spans
    assert span.attributes["error.type"] == "RuntimeError"
    assert [event.name for event in span.events] == ["exception"]
    assert not span.status.is_ok


def test_a_cancelled_call_ends_as_failed(tracing: spans.Spans, sent: Sent) -> None:
    serving = serve(tracing)

    def cancelled_call() -> None:
        with serving.call("GET", "http://ratings:9080/ratings/0", {"sw8": "kept"}, attempt=2) as call:
            assert call.headers["sw8"] == "kept"
            assert call.headers["traceparent"].startswith(f"00-{serving.trace_id}-")
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        cancelled_call()
    tracing.stop()
    (span,) = sent.spans
    assert (span.attributes["error.type"], span.attributes["http.request.resend_count"]) == (
        "asyncio.exceptions.CancelledError",
        1,
    )


def test_a_bad_answer_is_an_error_of_the_call(tracing: spans.Spans, sent: Sent) -> None:
    with serve(tracing).call("GET", "https://books.example/x", {}, attempt=1) as call:
        call.answered(404)
    tracing.stop()
    (span,) = sent.spans
    assert (span.attributes["error.type"], span.attributes["server.port"]) == ("404", 443)


def test_an_unsampled_parent_is_passed_on_as_such(tracing: spans.Spans, sent: Sent) -> None:
    serving = tracing.serve(asked((b"traceparent", f"00-{TRACE}-{SPAN}-00".encode())))
    assert serving is not None
    with serving.call("GET", "http://ratings:9080/", {}, attempt=1) as call:
        assert call.headers["traceparent"].startswith(f"00-{TRACE}-")
        assert call.headers["traceparent"].endswith("-00")
    serving.end(route="/", status=200, error=None)
    tracing.stop()
    assert sent.spans == []


def test_who_does_not_want_a_trace_gets_none(tracing: spans.Spans) -> None:
    assert tracing.serve(asked((b"b3", b"0"))) is None
    tracing.stop()
