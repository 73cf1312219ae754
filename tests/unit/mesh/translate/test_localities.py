"""Spreading endpoints for callers in one place."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import destination_rules, load_balancers
from bookmesh.mesh.registry import registry, workloads
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import localities, traffic_policies

CALLER = localities.Caller(workloads.parse_locality("eu/a/1"), {"version": "v1"})
PLACES = ("eu/a/1", "eu/a/2", "eu/b/1", "us/a/1", "asia/a/1")


def endpoint(place: str, **labels: str) -> registry.Endpoint:
    return registry.Endpoint(
        place, 80, own_labels=labels or {"version": "v2"}, own_locality=workloads.parse_locality(place)
    )


def setting(**fields: Any) -> load_balancers.LocalityLoadBalancer:
    return msgspec.convert(fields, load_balancers.LocalityLoadBalancer)


def priorities(wanted: load_balancers.LocalityLoadBalancer) -> dict[str, int]:
    groups = localities.spread([endpoint(place) for place in PLACES], wanted, CALLER)
    return {member.ip: group.priority for group in groups for member in group.members}


def test_nearer_endpoints_come_first() -> None:
    assert list(priorities(setting()).values()) == [0, 1, 2, 3, 3]


def test_region_that_takes_over_comes_before_others() -> None:
    found = priorities(setting(failover=[{"from": "eu", "to": "asia"}]))
    assert (found["asia/a/1"], found["us/a/1"]) == (3, 4)


def test_labels_decide_in_order_and_priorities_have_no_gap() -> None:
    wanted = setting(failoverPriority=["topology.kubernetes.io/region", "version=v3"])
    members = [endpoint("eu/b/1", version="v3"), endpoint("eu/a/1"), endpoint("us/a/1", version="v3")]
    groups = localities.spread(members, wanted, CALLER)
    assert [(group.members[0].ip, group.priority) for group in groups] == [
        ("eu/b/1", 0),
        ("eu/a/1", 1),
        ("us/a/1", 2),
    ]


def test_a_label_that_is_not_there_is_an_empty_one() -> None:
    wanted = setting(failoverPriority=["idle=", "version=v1"])
    members = [
        endpoint("us/a/1", version="v2", idle="true"),
        endpoint("us/a/2", version="v2"),
        endpoint("us/a/3", version="v1"),
    ]
    groups = localities.spread(members, wanted, CALLER)
    assert [(group.members[0].ip, group.priority) for group in groups] == [
        ("us/a/3", 0),
        ("us/a/2", 1),
        ("us/a/1", 2),
    ]


def test_endpoints_of_one_rank_have_the_first_priority_when_there_are_no_others() -> None:
    (group,) = localities.spread(
        [endpoint("us/a/1", version="v2")], setting(failoverPriority=["version=v1"]), CALLER
    )
    assert group.priority == 0


def test_regions_decide_among_endpoints_of_the_same_labels() -> None:
    wanted = setting(failoverPriority=["version=v1"], failover=[{"from": "eu", "to": "asia"}])
    places = [("us/a/1", "v1"), ("asia/a/1", "v1"), ("eu/a/1", "v2")]
    members = [endpoint(place, version=version) for place, version in places]
    found = localities.spread(members, wanted, CALLER)
    assert [group.members[0].ip for group in found] == ["asia/a/1", "us/a/1", "eu/a/1"]


def test_shares_go_to_the_places_a_rule_names() -> None:
    wanted = setting(
        distribute=[{"from": "us/*", "to": {"us": 100}}, {"from": "eu/a/*", "to": {"eu/*": 90, "us": 10}}]
    )
    groups = localities.spread([endpoint(place) for place in PLACES], wanted, CALLER)
    assert {group.members[0].ip: group.weight for group in groups} == {
        "eu/a/1": 30,
        "eu/a/2": 30,
        "eu/b/1": 30,
        "us/a/1": 10,
    }


def test_without_a_rule_for_the_caller_nothing_changes() -> None:
    wanted = setting(distribute=[{"from": "us/*", "to": {"us": 100}}])
    assert len(localities.spread([endpoint(place) for place in PLACES], wanted, CALLER)) == 5


@pytest.mark.parametrize(
    ("policy", "caller", "is_enabled", "is_in_force"),
    [
        ({}, CALLER, True, False),
        ({"outlierDetection": {}}, CALLER, True, True),
        ({"outlierDetection": {}}, CALLER, False, False),
        ({"outlierDetection": {}}, localities.Caller(), True, False),
        ({"loadBalancer": {"localityLbSetting": {"distribute": [{"from": "*"}]}}}, CALLER, True, True),
        (
            {"outlierDetection": {}, "loadBalancer": {"localityLbSetting": {"enabled": False}}},
            CALLER,
            True,
            False,
        ),
        (
            {"outlierDetection": {}, "loadBalancer": {"localityLbSetting": {"failoverPriority": ["a"]}}},
            localities.Caller(),
            True,
            True,
        ),
    ],
)
def test_failover_needs_outlier_detection_and_a_place(
    policy: dict[str, Any], caller: localities.Caller, is_enabled: bool, is_in_force: bool
) -> None:
    level = msgspec.convert(policy, destination_rules.TrafficPolicy)
    effective = traffic_policies.EffectivePolicy(
        load_balancer=level.load_balancer, outlier_detection=level.outlier_detection
    )
    found = localities.setting_in_force(effective, caller, MeshSettings(is_locality_enabled=is_enabled))
    assert (found is not None) is is_in_force


def test_what_a_service_prefers_counts_before_the_mesh_and_after_rules() -> None:
    here = localities.Caller(workloads.Locality("eu", "a"))
    mesh = MeshSettings(is_locality_enabled=False)
    found = localities.setting_in_force(traffic_policies.EffectivePolicy(), here, mesh, prefers="zone")
    assert found is not None
    near, far = (
        registry.Endpoint(ip, 80, own_locality=workloads.Locality("eu", zone))
        for ip, zone in (("1.1.1.1", "a"), ("2.2.2.2", "b"))
    )
    assert [(g.priority, g.members) for g in localities.spread([far, near], found, here)] == [
        (0, (near,)),
        (1, (far,)),
    ]
    off = load_balancers.LoadBalancer(locality_lb_setting=load_balancers.LocalityLoadBalancer(enabled=False))
    policy = traffic_policies.EffectivePolicy(load_balancer=off)
    assert localities.setting_in_force(policy, here, mesh, prefers="zone") is None
