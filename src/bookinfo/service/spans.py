"""
Spans made by the OpenTelemetry SDK, after its stable semantic conventions for HTTP.

Imported by `tracing.start` alone, in the process that serves: the SDK sends batches from a thread, which does not live
through a fork. What is sampled follows the caller's decision; who begins a trace records it, unless the SDK's own
variables (`OTEL_TRACES_SAMPLER`, …) say otherwise.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from bookinfo.service import trace_context
from bookinfo.service.requests import Request
from bookinfo.service.settings import ServiceSettings

METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
FLUSH_S: Final = 3.0
"""How long to try to send the last spans; the exporter itself would retry for as long as a process gets to end."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Spans:
    """Implements `tracing.Tracing`."""

    def __init__(self, settings: ServiceSettings, endpoint: str) -> None:
        attributes = {
            "service.name": settings.traces_name,
            "service.version": settings.version,
            "service.instance.id": settings.pod,
        }
        present = {key: value for key, value in attributes.items() if value}
        self._provider = TracerProvider(resource=Resource.create(present), shutdown_on_exit=False)
        self._exporter = OTLPSpanExporter(endpoint=endpoint)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("bookinfo")

    def serve(self, request: Request) -> Serving | None:
        incoming = trace_context.parse(request.headers)
        if incoming.is_declined:
            return None
        parent = trace.set_span_in_context(remote_span(incoming.parent)) if incoming.parent else None
        span = self._tracer.start_span(
            known_method(request.method) or "HTTP",
            context=parent,
            kind=SpanKind.SERVER,
            attributes=server_attributes(request),
        )
        return Serving(self._tracer, span, known_method(request.method) or "HTTP")

    def stop(self) -> None:
        impatience = threading.Timer(FLUSH_S, self._exporter.shutdown)
        impatience.start()
        self._provider.shutdown()
        impatience.cancel()


class Serving:
    """Implements `tracing.Serving`."""

    def __init__(self, tracer: trace.Tracer, span: Span, method: str) -> None:
        self._tracer = tracer
        self._span = span
        self._method = method

    @property
    def trace_id(self) -> str:
        return f"{self._span.get_span_context().trace_id:032x}"

    @property
    def span_id(self) -> str:
        return f"{self._span.get_span_context().span_id:016x}"

    @contextmanager
    def call(self, method: str, url: str, headers: Mapping[str, str], *, attempt: int) -> Iterator[Call]:
        span = self._tracer.start_span(
            method,
            context=trace.set_span_in_context(self._span),
            kind=SpanKind.CLIENT,
            attributes=client_attributes(method, url, attempt),
        )
        try:
            yield Call(span, headers, caller_span_id=self._span.get_span_context().span_id)
        except BaseException as error:  # a cancelled call is one that failed, too
            fail(span, error_type(error), str(error))
            raise
        finally:
            span.end()

    def end(self, *, route: str | None, status: int, error: BaseException | None) -> None:
        if route is not None:
            self._span.update_name(f"{self._method} {route}")
            self._span.set_attribute("http.route", route)
        self._span.set_attribute("http.response.status_code", status)
        if error is not None:
            self._span.record_exception(error)
            fail(self._span, error_type(error))
        elif status >= 500:
            fail(self._span, str(status))
        self._span.end()


class Call:
    """Implements `tracing.Call`."""

    def __init__(self, span: Span, headers: Mapping[str, str], *, caller_span_id: int) -> None:
        self._span = span
        outgoing = dict(headers)
        context = span.get_span_context()
        trace_context.write(
            outgoing,
            trace_context.Parent(context.trace_id, context.span_id, context.trace_flags.sampled),
            caller_span_id=caller_span_id,
        )
        self.headers: Mapping[str, str] = outgoing

    def answered(self, status: int) -> None:
        self._span.set_attribute("http.response.status_code", status)
        if status >= 400:
            fail(self._span, str(status))


def remote_span(parent: trace_context.Parent) -> Span:
    """Return the stand-in for a span of another process."""
    flags = trace.TraceFlags.SAMPLED if parent.is_sampled else trace.TraceFlags.DEFAULT
    return trace.NonRecordingSpan(
        trace.SpanContext(
            trace_id=parent.trace_id,
            span_id=parent.span_id,
            is_remote=True,
            trace_flags=trace.TraceFlags(flags),
            trace_state=trace.TraceState.from_header([parent.state]) if parent.state else None,
        )
    )


def server_attributes(request: Request) -> dict[str, AttributeValue]:
    """Return what is known of a request before it is routed."""
    attributes: dict[str, AttributeValue] = {
        "url.scheme": "http",
        "url.path": request.path,
        "network.protocol.version": request.version,
        **method_attributes(request.method),
    }
    if request.query:
        attributes["url.query"] = request.query.decode("latin-1")
    if request.client:
        attributes["client.address"], attributes["client.port"] = request.client
    if request.server:
        attributes["server.address"], attributes["server.port"] = request.server
    for name, value in request.headers:
        if name == b"host":
            host, colon, port = value.decode("latin-1").rpartition(":")
            is_split = bool(colon) and port.isascii() and port.isdigit()
            attributes["server.address"] = host if is_split else value.decode("latin-1")
            attributes["server.port"] = int(port[:5]) if is_split else DEFAULT_PORTS["http"]
        elif name == b"user-agent":
            attributes["user_agent.original"] = value.decode("utf-8", "replace")
    return attributes


def client_attributes(method: str, url: str, attempt: int) -> dict[str, AttributeValue]:
    parts = urlsplit(url)
    attributes: dict[str, AttributeValue] = {
        "server.address": parts.hostname or "",
        "server.port": parts.port or DEFAULT_PORTS[parts.scheme],
        "url.full": url,
        **method_attributes(method),
    }
    if attempt > 1:
        attributes["http.request.resend_count"] = attempt - 1
    return attributes


def method_attributes(method: str) -> dict[str, AttributeValue]:
    """Return the method, and a made-up one as the conventions ask for."""
    if known_method(method):
        return {"http.request.method": method}
    return {"http.request.method": "_OTHER", "http.request.method_original": method}


def known_method(method: str) -> str | None:
    return method if method in METHODS else None


def fail(span: Span, kind: str, description: str | None = None) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR, description)


def error_type(error: BaseException) -> str:
    """Return what the conventions want for an exception: the cause's class, since ours only says that there is one."""
    cause = error.__cause__ or error
    return f"{type(cause).__module__}.{type(cause).__qualname__}".removeprefix("builtins.")
