"""
What is recorded about each request: a metric, a log line, its trace id, a span where spans are made.

`begin` and `end` are called for every request that was understood, whatever became of it.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import Final

from bookinfo.service import headers, logs, tracing
from bookinfo.service.metrics import Metrics
from bookinfo.service.requests import UNMATCHED, Request
from bookinfo.service.settings import ServiceSettings

QUIET_ROUTES: Final = frozenset({"/health", "/livez", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged at level debug only, and no spans."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Telemetry:
    """Records the requests of one service."""

    def __init__(
        self, settings: ServiceSettings, metrics: Metrics, spans: tracing.Tracing | None = None
    ) -> None:
        self._metrics = metrics
        self._spans = spans
        self._log = logs.AccessLog(settings, logging.INFO)
        self._quiet_log = logs.AccessLog(settings, logging.DEBUG)

    def begin(self, request: Request) -> None:
        """Note that a request is being served, and make its trace known to what is done for it."""
        self._metrics.in_flight += 1
        if self._spans is not None:
            request.span = None if request.path in QUIET_ROUTES else self._spans.serve(request)
            tracing.CURRENT.set(request.span)
        logs.TRACE_ID.set(request.span.trace_id if request.span else headers.trace_id(request.fields))

    def end(
        self, request: Request, status: int, body_bytes: int = 0, error: BaseException | None = None
    ) -> None:
        """Record what became of it; `error` is an exception that no handler caught."""
        self._metrics.in_flight -= 1
        seconds = monotonic() - request.began
        method, route = request.method, request.route
        self._metrics.served(method if method in METHODS else "OTHER", route, status, seconds)
        log = self._quiet_log if route in QUIET_ROUTES else self._log
        if log.is_on:
            log.write(request, status, body_bytes, seconds)
        if request.span is not None:
            request.span.end(route=None if route is UNMATCHED else route, status=status, error=error)
