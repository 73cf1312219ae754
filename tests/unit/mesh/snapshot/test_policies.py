"""Which DestinationRules count."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.model import parsing
from bookmesh.mesh.snapshot import policies

HOST = "reviews.shop.svc.cluster.local"


def rule(name: str, namespace: str, host: str = HOST, **spec: Any) -> parsing.Parsed:
    return parsing.parse(
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "DestinationRule",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"host": host, **spec},
        }
    )


def names(*rules: parsing.Parsed, client: str = "client") -> list[str]:
    index = policies.build_policies(rules, root_namespace="root", domain="cluster.local")
    found = index.policy_for(HOST, client_namespace=client, service_namespace="shop")
    return [ref.name for ref in found.refs]


def test_clients_namespace_wins_over_the_services_and_that_over_the_root() -> None:
    rules = rule("root", "root"), rule("service", "shop"), rule("client", "client")
    assert names(*rules) == ["client"]
    assert names(*rules[:2]) == ["service"]
    assert names(*rules[:1]) == ["root"]
    assert names() == []


def test_other_namespaces_do_not_count() -> None:
    assert names(rule("other", "other")) == []


def test_most_specific_host_wins_within_a_namespace() -> None:
    assert names(rule("wide", "shop", "*.local"), rule("exact", "shop", "reviews")) == ["exact"]
    assert names(rule("wide", "shop", "*.local"), rule("narrow", "shop", "*.shop.svc.cluster.local")) == [
        "narrow"
    ]


def test_private_rule_counts_in_its_own_namespace_only() -> None:
    private = rule("private", "shop", exportTo=["."])
    assert names(private) == []
    assert names(private, client="shop") == ["private"]


def test_rules_for_one_host_are_merged_in_order() -> None:
    one = rule("a", "shop", subsets=[{"name": "v1", "labels": {"version": "a"}}])
    policy = {"loadBalancer": {"simple": "RANDOM"}}
    two = rule("b", "shop", trafficPolicy=policy, subsets=[{"name": "v1"}, {"name": "v2"}])
    index = policies.build_policies([one, two], root_namespace="root", domain="cluster.local")
    found = index.policy_for(HOST, client_namespace="shop", service_namespace="shop")
    assert [subset.name for subset in found.subsets] == ["v1", "v2"]
    first = found.subset("v1")
    assert first is not None
    assert first.labels == {"version": "a"}
    assert found.traffic_policy is not None
    assert found.subset("v3") is None
