from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cli.explain import test_matching, test_sources
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.explain import following, trails
from bookmesh.cli.istioctl import dumps
from bookmesh.mesh.injection.interception import InterceptionRules

PROXY = trails.Proxy(small_dumps.dump(), trails.statuses_of(small_dumps.STATUSES))


def follow(**fields: Any) -> following.Explanation:
    return following.follow(PROXY, test_matching.request(**fields), test_sources.WORLD)


def test_a_request_is_followed_from_listener_to_endpoint() -> None:
    found = follow()
    assert [step.stage for step in found.steps] == [
        "listener",
        "filter chain",
        "virtual host",
        "route",
        "cluster",
        "endpoint",
    ]
    assert found.steps[3].as_json()["sources"] == [
        {"object": "VirtualService default/reviews", "field": "spec.http[1]"}
    ]
    assert found.steps[4].name == small_dumps.cluster("v1")
    assert (found.steps[5].name, found.steps[5].why) == ("10.244.0.5:9080", "healthy")
    assert found.as_json()["outcome"] == {
        "kind": "forwarded",
        "targets": [
            {"cluster": small_dumps.cluster("v1"), "percent": 100.0, "endpoints": ["10.244.0.5:9080"]}
        ],
        "answers": [],
        "delaySeconds": 0.0,
    }


def test_a_cluster_without_endpoints_answers_503() -> None:
    found = follow(headers={"end-user": "jason"})
    assert found.steps[4].name == small_dumps.cluster("v2")
    assert [answer.status for answer in found.outcome.answers] == [503]


def test_hosts_nobody_knows_pass_through() -> None:
    found = follow(host="elsewhere", address="10.9.9.9")
    assert [step.name for step in found.steps][-2:] == ["PassthroughCluster", "10.9.9.9:9080"]
    assert found.outcome.targets[0].endpoints == ("10.9.9.9:9080",)


def test_bytes_go_straight_to_their_cluster_which_may_be_missing() -> None:
    found = follow(scheme="tcp", port=5432, address="10.96.0.9")
    assert [step.stage for step in found.steps] == ["listener", "filter chain", "cluster"]
    assert found.outcome.kind == "closed"


def test_a_port_without_listener_is_refused() -> None:
    found = follow(port=1)
    assert [step.name for step in found.steps] == ["none"]
    assert found.outcome.kind == "closed"


def test_a_port_that_the_service_does_not_have_is_told_with_those_that_it_has() -> None:
    outbound = {"name": "virtualOutbound", "default_filter_chain": small_dumps.REST}
    listeners = small_dumps.named("ListenersConfigDump", static_listeners=[{"listener": outbound}])
    proxy = trails.Proxy(dumps.parse({"configs": [listeners]}))
    found = following.follow(proxy, test_matching.request(port=1, address="10.9.9.9"), test_sources.WORLD)
    assert found.steps[0].why == "no listener is for 10.9.9.9:1; ports of Service reviews: 80, 9080"


def test_bytes_that_are_not_http_meet_the_chain_for_other_bytes() -> None:
    found = follow(scheme="tcp")
    assert found.steps[-2].name == "PassthroughCluster"


RULES = InterceptionRules(
    exclude_outbound_ports=(3306,),
    exclude_outbound_ranges=("10.2.0.0/16",),
    include_outbound_ranges=("10.0.0.0/8",),
    include_outbound_ports=(8443,),
)


@pytest.mark.parametrize(
    ("port", "address", "word"),
    [
        (80, "127.0.0.1", "the pod itself"),
        (3306, "10.1.1.1", "excludeOutboundPorts"),
        (80, "10.2.1.1", "excludeOutboundIPRanges"),
        (80, "192.168.0.1", "includeOutboundIPRanges"),
        (8443, "192.168.0.1", ""),
        (80, "10.1.1.1", ""),
        (80, "", ""),
        (80, "127.97.0.1", "includeOutboundIPRanges"),
    ],
)
def test_what_the_pods_annotations_leave_out_goes_past_the_proxy(port: int, address: str, word: str) -> None:
    why = following.why_not_intercepted(RULES, test_matching.request(port=port, address=address))
    assert (word in why) if word else why == ""


def test_past_the_proxy_there_is_nothing_to_follow() -> None:
    found = follow(address="127.0.0.1")
    assert (found.outcome.kind, len(found.steps)) == ("direct", 1)
