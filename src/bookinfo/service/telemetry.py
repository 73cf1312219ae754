"""
What is recorded about each request: a metric, a log line, its trace id, a span where spans are made; and who answered,
in two response headers.

Outermost wrapper of a service, so that nothing a client can send goes unrecorded. An exception that nobody handled
ends here: it is logged once with its trace id, and the client gets a plain 500.
"""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bookinfo.service import answers, headers, limits, logs, tracing
from bookinfo.service.health import Readiness
from bookinfo.service.metrics import Metrics
from bookinfo.service.settings import ServiceSettings

ACCESS: Final = logging.getLogger("bookinfo.access")
LOGGER: Final = logging.getLogger("bookinfo.service")

UNMATCHED: Final = "unmatched"
"""Route label of a request that no route serves."""

QUIET_ROUTES: Final = frozenset({"/health", "/livez", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged at level debug only, and no spans."""

CLIENT_CLOSED: Final = 499
"""Recorded when the client went away before it got an answer."""

OVERTIME: Final = {"reason": f"not finished after {limits.REQUEST_TIMEOUT_S:g} s"}

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Telemetry:
    """ASGI wrapper that records requests."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: ServiceSettings,
        metrics: Metrics,
        readiness: Readiness,
        spans: tracing.Tracing | None = None,
    ) -> None:
        self._app = app
        self._spans = spans
        self._metrics = metrics
        self._readiness = readiness
        self._identity = [(answers.POD_HEADER.encode(), settings.pod.encode("latin-1", "replace"))]
        if settings.version:
            version = settings.version.encode("latin-1", "replace")
            self._identity.append((answers.VERSION_HEADER.encode(), version))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        serving = None
        if self._spans is not None:
            serving = self._spans.serve(scope) if scope["path"] not in QUIET_ROUTES else None
            tracing.CURRENT.set(serving)
        logs.TRACE_ID.set(serving.trace_id if serving else headers.trace_id(scope["headers"]))
        exchange = Exchange(send, self._identity, self._readiness)
        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, exchange.send)
        except ClientDisconnect:
            exchange.status = CLIENT_CLOSED
        except limits.OvertimeError:
            LOGGER.error("request cancelled", extra={logs.FIELDS: {"path": scope["path"], **OVERTIME}})
            if not exchange.has_started:
                await answers.error("this took too long", 503)(scope, receive, exchange.send)
        except Exception as error:
            exchange.error = error
            LOGGER.exception("request failed", extra={logs.FIELDS: {"path": scope["path"]}})
            if not exchange.has_started:
                await answers.error("Internal Server Error", 500)(scope, receive, exchange.send)
        finally:
            self._metrics.in_flight.dec()
            route: str | None = getattr(scope.get("route"), "path", None)
            self._record(scope, exchange, route or UNMATCHED, perf_counter() - started)
            if serving is not None:
                serving.end(route=route, status=exchange.status, error=exchange.error)

    def _record(self, scope: Scope, exchange: Exchange, route: str, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        self._metrics.served(method=method, route=route, status=exchange.status, seconds=seconds)
        level = logging.DEBUG if route in QUIET_ROUTES else logging.INFO
        if not ACCESS.isEnabledFor(level):
            return
        fields = {
            "method": scope["method"],
            "path": scope["path"],
            "status": exchange.status,
            "bytes": exchange.body_bytes,
            "duration_ms": round(seconds * 1000, 3),
        }
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                fields["request_id"] = value.decode("latin-1")
                break
        ACCESS.log(level, "request", extra={logs.FIELDS: fields})


class Exchange:
    """Watches the answer to one request go by, and adds the headers that every answer bears."""

    __slots__ = ("_identity", "_readiness", "_send", "body_bytes", "error", "has_started", "status")

    def __init__(self, send: Send, identity: list[tuple[bytes, bytes]], readiness: Readiness) -> None:
        self._send = send
        self._identity = identity
        self._readiness = readiness
        self.status = 500
        self.error: Exception | None = None
        """What no handler caught."""
        self.body_bytes = 0
        self.has_started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started = True
            self.status = message["status"]
            added = self._identity
            if self._readiness.is_draining:
                added = [*added, (b"connection", b"close")]
            message["headers"] = [*message.get("headers", ()), *added]
        elif message["type"] == "http.response.body":
            self.body_bytes += len(message.get("body", b""))
        await self._send(message)
