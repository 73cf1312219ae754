"""Which DestinationRules count."""

from __future__ import annotations

import dataclasses
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


def names(
    *rules: parsing.Parsed, client: str = "client", default: tuple[str, ...] = ("*",), **labels: str
) -> list[str]:
    """Names of the rules in force, in order, for a client with these labels."""
    index = policies.build_policies(
        rules, root_namespace="root", domain="cluster.local", default_export_to=default
    )
    found = index.policy_for(HOST, client_namespace=client, service_namespace="shop", client_labels=labels)
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


def chosen(name: str, namespace: str, **spec: Any) -> parsing.Parsed:
    return rule(name, namespace, workloadSelector={"matchLabels": {"app": "a"}}, **spec)


def test_rule_for_some_clients_wins_for_them_and_stands_alone() -> None:
    """As Istio has it: a rule for everybody is joined only where it is for the own namespace alone, too."""
    own, public = chosen("own", "client"), rule("public", "client")
    assert names(public, own, app="a") == ["own"]
    assert names(public, own, app="b") == ["public"]
    private = rule("private", "client", exportTo=["."])
    assert names(private, own, app="a") == ["own", "private"]
    assert names(private, own, app="b") == []  # joined, it does not stand for itself any more


def test_rule_for_some_clients_is_for_those_of_its_own_namespace() -> None:
    of_service = chosen("own", "shop", exportTo=["*"])
    assert names(of_service, app="a") == []
    assert names(of_service, client="shop", app="a") == ["own"]
    assert names(chosen("root", "root"), app="a") == []
    assert names(chosen("root", "root"), client="root", app="a") == ["root"]


def test_rules_for_other_audiences_are_not_joined() -> None:
    everybody, friends = rule("all", "shop"), rule("friends", "shop", exportTo=["client"])
    assert names(everybody, friends) == ["friends"]  # of those for everybody the last one that is seen counts
    assert names(everybody, friends, client="other") == ["all"]


def test_a_wider_audience_is_joined_to_a_narrower_one() -> None:
    narrow, wide = rule("narrow", "shop", exportTo=["client"]), rule("wide", "shop", exportTo=["client", "x"])
    assert names(narrow, wide) == ["narrow", "wide"]


def test_a_specific_rule_that_is_not_seen_hides_wider_ones_of_its_namespace() -> None:
    wide, hidden = rule("wide", "shop", "*.local"), rule("hidden", "shop", exportTo=["x"])
    assert names(wide, hidden) == []
    assert names(wide, hidden, rule("root", "root", "*.local")) == ["root"]


def test_rule_for_others_only_does_not_count_at_home() -> None:
    assert names(rule("away", "client", exportTo=["x"])) == []


def test_clients_in_the_root_namespace_look_at_the_service_first() -> None:
    public, private = rule("public", "root"), rule("private", "root", exportTo=["."])
    assert names(public, rule("service", "shop"), client="root") == ["service"]
    assert names(private, rule("service", "shop"), client="root") == ["private"]


def test_default_of_the_mesh_makes_rules_private() -> None:
    assert names(rule("service", "shop"), default=(".",)) == []
    assert names(rule("service", "shop"), client="shop", default=(".",)) == ["service"]
    assert names(rule("service", "shop", exportTo=["*"]), default=(".",)) == ["service"]


def test_what_people_wrote_wins_and_what_was_made_for_them_fills_the_gaps() -> None:
    made = dataclasses.replace(
        rule("made", "shop", trafficPolicy={"tls": {"mode": "SIMPLE"}, "loadBalancer": {"simple": "RANDOM"}}),
        is_derived=True,
    )
    written = rule("written", "shop", trafficPolicy={"loadBalancer": {"simple": "ROUND_ROBIN"}})
    for order in ((made, written), (written, made)):
        index = policies.build_policies(order, root_namespace="root", domain="cluster.local")
        policy = index.policy_for(HOST, client_namespace="x", service_namespace="shop").traffic_policy
        assert policy is not None
        assert policy.tls is not None
        assert policy.load_balancer is not None
        assert (policy.tls.mode, policy.load_balancer.simple) == ("SIMPLE", "ROUND_ROBIN")
