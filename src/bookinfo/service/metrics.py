"""
Metrics in Prometheus format. Each service has a registry of its own; nothing is global.

Names and units follow Prometheus' conventions (seconds, `_total`). Label values come from the route table, never from
a request's path, so that nobody can make new series by asking for new paths.

Counting is done in plain integers, by the one thread that serves, and turned into Prometheus' families when somebody
asks: that costs a request a sixth of what the client library's own counters do, which lock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Metric, ProcessCollector, exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BOUNDS: Final = (*map(str, BUCKETS_S), "+Inf")


class Series:
    """The durations of requests with the same labels: how many in each bucket, and their sum."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(BOUNDS)
        self.seconds = 0.0


class Metrics(Collector):
    """The counters of one service process."""

    def __init__(self, service: str, version: str) -> None:
        self.in_flight = 0
        """Requests being served."""
        self._durations: defaultdict[tuple[str, str, int], Series] = defaultdict(Series)
        """By method, route and status."""
        self._results: defaultdict[tuple[str, int], int] = defaultdict(int)
        """By service that was called and status."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        build = Gauge("bookinfo_build_info", "Always 1", ("service", "version"), registry=self.registry)
        build.labels(service, version).set(1)
        self.registry.register(self)

    def served(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request that was answered."""
        series = self._durations[method, route, status]
        series.counts[bisect_left(BUCKETS_S, seconds)] += 1
        series.seconds += seconds

    def called(self, *, service: str, status: int) -> None:
        """Count one call to another service by its outcome; 500 stands for no answer at all."""
        self._results[service, status] += 1

    def collect(self) -> Iterator[Metric]:
        """Return the families, for the registry."""
        durations = HistogramMetricFamily(
            "http_server_request_duration_seconds",
            "Time to serve a request",
            labels=("method", "route", "code"),
        )
        for (method, route, status), series in self._durations.items():
            buckets = list(zip(BOUNDS, accumulate(series.counts), strict=True))
            durations.add_metric((method, route, str(status)), buckets, series.seconds)
        yield durations
        yield GaugeMetricFamily("http_server_active_requests", "Requests being served", self.in_flight)
        results = CounterMetricFamily(
            "request_result",
            "Answers of the services that this one calls",
            labels=("destination_app", "response_code"),
        )
        for (service, status), count in self._results.items():
            results.add_metric((service, str(status)), count)
        yield results

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
