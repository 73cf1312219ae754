from __future__ import annotations

import pytest
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.istioctl import summaries


def test_clusters_are_sorted_by_host_and_subset() -> None:
    found = summaries.clusters(small_dumps.dump(), summaries.ClusterFilter())
    assert [tuple(row)[:4] for row in summaries.cluster_rows(found)] == [
        ("PassthroughCluster", "-", "-", "-"),
        (small_dumps.HOST, "9080", "-", "outbound"),
        (small_dumps.HOST, "9080", "v1", "outbound"),
        (small_dumps.HOST, "9080", "v2", "outbound"),
    ]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (summaries.ClusterFilter(fqdn="reviews"), 3),
        (summaries.ClusterFilter(subset="v1"), 1),
        (summaries.ClusterFilter(direction="Inbound"), 0),
        (summaries.ClusterFilter(port=9081), 0),
    ],
)
def test_filters_of_clusters(wanted: summaries.ClusterFilter, count: int) -> None:
    assert len(summaries.clusters(small_dumps.dump(), wanted)) == count


def test_routes_show_short_domains_and_their_virtual_service_but_no_pass_through() -> None:
    rows = [tuple(row) for row in summaries.route_rows(summaries.routes(small_dumps.dump()))]
    name = f"{small_dumps.HOST}:9080"
    assert rows == [("9080", name, "reviews.default, reviews + 1 more...", "/*", "reviews.default")] * 2
    assert summaries.routes(small_dumps.dump(), "80") == []


@pytest.mark.parametrize(
    ("match", "shown"),
    [
        ({"path": "/a"}, "/a"),
        ({"path_separated_prefix": "/a"}, "PathPrefix:/a"),
        ({"safe_regex": {"regex": "a.*"}}, "regex a.*"),
    ],
)
def test_matches_in_short(match: dict[str, object], shown: str) -> None:
    assert summaries.describe_match(match) == shown


def host(address: str, *, health: str = "HEALTHY", is_out: bool = False) -> dict[str, object]:
    place = {"socket_address": {"address": address, "port_value": 80}}
    return {"address": place, "health_status": {"eds_health_status": health, "failed_outlier_check": is_out}}


def test_endpoints_say_whether_they_are_ejected() -> None:
    statuses = [
        {"name": "b", "host_statuses": [host("10.0.0.2"), host("10.0.0.1", is_out=True)]},
        {"name": "empty"},
    ]
    assert summaries.endpoint_rows(statuses, summaries.EndpointFilter()) == [
        ("10.0.0.1:80", "HEALTHY", "FAILED", "b"),
        ("10.0.0.2:80", "HEALTHY", "OK", "b"),
    ]
    assert len(summaries.endpoint_rows(statuses, summaries.EndpointFilter(address="10.0.0.1", port=80))) == 1
    assert summaries.endpoint_rows(statuses, summaries.EndpointFilter(status="unhealthy")) == []


def test_endpoints_without_a_port() -> None:
    assert summaries.endpoint_address({"address": {"pipe": {"path": "/x"}}}) == ("unix:///x", 0)
