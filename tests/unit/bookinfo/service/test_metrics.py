from __future__ import annotations

from prometheus_client import parser

from bookinfo.service import metrics


def samples(counted: metrics.Metrics) -> dict[str, dict[tuple[str, ...], float]]:
    text = counted.render("")[0].decode()
    return {
        sample.name: {
            tuple(other.labels.values()): other.value for other in family.samples if other.name == sample.name
        }
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_duration_is_in_its_bucket_and_all_above() -> None:
    counted = metrics.Metrics("example", "v1")
    for seconds in (0.0005, 0.0006, 0.3, 100.0):
        counted.served("GET", "/x", 200, seconds)
    found = samples(counted)
    buckets = {
        labels[1]: value for labels, value in found["http_server_request_duration_seconds_bucket"].items()
    }
    assert (buckets["0.0005"], buckets["0.001"], buckets["0.25"], buckets["0.5"]) == (1, 2, 2, 3)
    assert (buckets["10.0"], buckets["+Inf"]) == (3, 4)
    assert list(found["http_server_request_duration_seconds_count"].values()) == [4]
    assert list(found["http_server_request_duration_seconds_sum"].values()) == [100.3011]


def test_series_are_told_apart_by_their_labels() -> None:
    counted = metrics.Metrics("example", "v1")
    for status in (200, 200, 404):
        counted.served("GET", "/x", status, 0.1)
        counted.called(service="ratings", status=status)
    found = samples(counted)
    assert found["http_server_request_duration_seconds_count"] == {
        ("200", "GET", "/x"): 2,
        ("404", "GET", "/x"): 1,
    }
    assert found["request_result_total"] == {("ratings", "200"): 2, ("ratings", "404"): 1}
