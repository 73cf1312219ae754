"""
Metrics in Prometheus format. Each service has a registry of its own; nothing is global.

Names and units follow Prometheus' conventions (seconds, `_total`). Label values come from the route table, never from
a request's path, so that nobody can make new series by asking for new paths.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, exposition
from prometheus_client.openmetrics import exposition as openmetrics

BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one service process."""

    def __init__(self, service: str, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._durations = Histogram(
            "http_server_request_duration_seconds",
            "Time to serve a request",
            ("method", "route", "code"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self.in_flight = Gauge("http_server_active_requests", "Requests being served", registry=self.registry)
        build = Gauge("bookinfo_build_info", "Always 1", ("service", "version"), registry=self.registry)
        build.labels(service, version).set(1)
        self._upstream_results = Counter(
            "request_result",
            "Answers of the services that this one calls",
            ("destination_app", "response_code"),
            registry=self.registry,
        )
        self._duration_children: dict[tuple[str, str, int], Histogram] = {}
        self._result_children: dict[tuple[str, int], Counter] = {}

    def served(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request that was answered."""
        key = (method, route, status)
        child = self._duration_children.get(key)
        if child is None:
            child = self._durations.labels(method, route, str(status))
            self._duration_children[key] = child
        child.observe(seconds)

    def called(self, *, service: str, status: int) -> None:
        """Count one call to another service by its outcome; 500 stands for no answer at all."""
        key = (service, status)
        child = self._result_children.get(key)
        if child is None:
            child = self._upstream_results.labels(service, str(status))
            self._result_children[key] = child
        child.inc()

    def render(self, accept: str) -> tuple[bytes, str]:
        """
        Return the body and content type of an answer to a scrape that accepts `accept`.

        Prometheus asks for OpenMetrics first; whoever does not name it gets the older text format. Which version is
        asked for does not matter: each format is served in the one version that all scrapers read.
        """
        if "application/openmetrics-text" in accept:
            # The module has no type annotations.
            body: bytes = openmetrics.generate_latest(self.registry)  # type: ignore[no-untyped-call]
            return body, openmetrics.CONTENT_TYPE_LATEST
        return exposition.generate_latest(self.registry), exposition.CONTENT_TYPE_PLAIN_0_0_4
