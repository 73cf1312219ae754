"""Overrides between a host, its subsets and its ports."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import destination_rules, load_balancers
from bookmesh.mesh.snapshot import policies
from bookmesh.mesh.translate import traffic_policies
from bookmesh.mesh.wire import cluster as wire


def policy(top: dict[str, Any] | None = None, subset: dict[str, Any] | None = None) -> policies.HostPolicy:
    spec = {
        "host": "web",
        "trafficPolicy": top or {},
        "subsets": [{"name": "v1", "trafficPolicy": subset or {}}],
    }
    rule = msgspec.convert(spec, destination_rules.DestinationRule)
    return policies.HostPolicy(traffic_policy=rule.traffic_policy, subsets=rule.subsets)


def simple(found: traffic_policies.EffectivePolicy) -> str | None:
    return found.load_balancer.simple if found.load_balancer is not None else None


RANDOM, ROUND_ROBIN = {"simple": "RANDOM"}, {"simple": "ROUND_ROBIN"}
OUTLIERS = {"interval": "1s"}


def test_without_rule_nothing_is_set() -> None:
    found = traffic_policies.effective_policy(policies.NO_POLICY, port=80)
    assert found == traffic_policies.EffectivePolicy()


def test_subset_replaces_what_it_names_and_keeps_the_rest() -> None:
    rule = policy({"loadBalancer": RANDOM, "outlierDetection": OUTLIERS}, {"loadBalancer": ROUND_ROBIN})
    found = traffic_policies.effective_policy(rule, port=80, subset="v1")
    assert simple(found) == "ROUND_ROBIN"
    assert found.outlier_detection is not None
    assert simple(traffic_policies.effective_policy(rule, port=80)) == "RANDOM"


def test_port_replaces_everything() -> None:
    port = {"port": {"number": 80}, "outlierDetection": OUTLIERS}
    rule = policy({"loadBalancer": RANDOM, "portLevelSettings": [port]})
    found = traffic_policies.effective_policy(rule, port=80)
    assert found.load_balancer is None
    assert found.outlier_detection is not None
    assert simple(traffic_policies.effective_policy(rule, port=81)) == "RANDOM"


def test_port_of_a_subset_wins_over_all() -> None:
    port = {"port": {"number": 80}, "loadBalancer": ROUND_ROBIN}
    rule = policy({"loadBalancer": RANDOM}, {"portLevelSettings": [port]})
    assert simple(traffic_policies.effective_policy(rule, port=80, subset="v1")) == "ROUND_ROBIN"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (None, wire.Cluster.LEAST_REQUEST),
        ({"simple": "UNSPECIFIED"}, wire.Cluster.LEAST_REQUEST),
        ({"simple": "LEAST_CONN"}, wire.Cluster.LEAST_REQUEST),
        ({"simple": "RANDOM"}, wire.Cluster.RANDOM),
        ({"simple": "ROUND_ROBIN"}, wire.Cluster.ROUND_ROBIN),
        ({"simple": "PASSTHROUGH"}, wire.Cluster.CLUSTER_PROVIDED),
        ({"consistentHash": {"httpHeaderName": "x"}}, wire.Cluster.RING_HASH),
        ({"consistentHash": {"httpHeaderName": "x", "maglev": {}}}, wire.Cluster.MAGLEV),
    ],
)
def test_algorithm_is_the_one_asked_for(settings: dict[str, Any] | None, expected: int) -> None:
    cluster = wire.Cluster(type=wire.Cluster.EDS)
    parsed = msgspec.convert(settings, load_balancers.LoadBalancer) if settings is not None else None
    traffic_policies.apply_load_balancer(cluster, parsed)
    assert cluster.lb_policy == expected


def test_ejection_is_off_without_settings_and_success_rates_never_count() -> None:
    cluster = wire.Cluster()
    traffic_policies.apply_outlier_detection(cluster, None)
    assert not cluster.HasField("outlier_detection")
    traffic_policies.apply_outlier_detection(cluster, destination_rules.OutlierDetection())
    assert cluster.outlier_detection.enforcing_success_rate.value == 0
    assert cluster.common_lb_config.healthy_panic_threshold.value == 0
