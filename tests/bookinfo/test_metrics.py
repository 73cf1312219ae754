"""Metrics: names, units and labels, in both formats that Prometheus reads."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser
from tests.bookinfo import asking

SERVICES = ("page", "details", "ratings")


def scrape(url: str, accept: str = "") -> dict[str, Any]:
    """Return metric families by name."""
    answer = asking.ask(url, "/metrics", headers={"accept": accept})
    if accept:
        assert answer.media_type == "application/openmetrics-text"
        families = openmetrics_parser.text_string_to_metric_families(answer.text)
    else:
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = parser.text_string_to_metric_families(answer.text)
    return {family.name: family for family in families}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("accept", ["", "application/openmetrics-text; version=1.0.0,text/plain;q=0.5"])
def test_requests_are_measured_in_base_units(deployment: Any, ours: None, service: str, accept: str) -> None:
    url = getattr(deployment, service)
    asking.ask(url, "/health")
    families = scrape(url, accept)
    durations = families["http_server_request_duration_seconds"]
    assert durations.type == "histogram"
    health = {"method": "GET", "route": "/health", "code": "200"}
    counted = [
        sample.value
        for sample in durations.samples
        if sample.name.endswith("_count") and sample.labels == health
    ]
    assert counted[0] >= 1
    bounds = [float(sample.labels["le"]) for sample in durations.samples if "le" in sample.labels]
    assert min(bounds) <= 0.001
    assert sorted(set(bounds))[-2:] == [10.0, float("inf")]
    in_flight = families["http_server_active_requests"]
    assert (in_flight.type, in_flight.samples[0].value) == ("gauge", 1.0)
    (build,) = families["bookinfo_build_info"].samples
    assert (build.value, set(build.labels)) == (1.0, {"service", "version"})
    assert "process_resident_memory_bytes" in families


def test_calls_are_counted_by_outcome_as_the_sample_does(page: str, ours: None) -> None:
    asking.ask(page, "/productpage")
    labels = [sample.labels for sample in scrape(page)["request_result"].samples]
    assert {"destination_app": "reviews", "response_code": "200"} in labels


def test_paths_that_do_not_exist_make_no_series(details: str, ours: None) -> None:
    def series() -> int:
        return len(scrape(details)["http_server_request_duration_seconds"].samples)

    asking.ask(details, "/made-up")
    before = series()
    for number in range(20):
        asking.ask(details, f"/made-up/{number}")
    assert series() == before
