"""NetworkPolicies as rules: who is selected, what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import network_policies
from bookmesh.kube.node.network_policies import Pod

WEB = Pod("shop", "10.244.0.2", {"app": "web"}, {("TCP", "http"): 80, ("UDP", "dns"): 53})
DB = Pod("shop", "10.244.0.3", {"app": "db"}, {("TCP", "sql"): 5432})
GUEST = Pod("away", "10.244.0.4", {"app": "web"})
NAMESPACES = {"shop": {"team": "own"}, "away": {"team": "guests"}, "kube-system": {}}


def _policy(text: str, namespace: str = "shop", name: str = "p") -> JsonObject:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": yaml.safe_load(text)}


def _chains(*policies: JsonObject) -> dict[str, list[str]]:
    table = network_policies.build_table(policies, [GUEST, DB, WEB], NAMESPACES)
    return {chain.name: [rule.text for rule in chain.rules] for chain in table.chains}


def test_without_policies_there_are_no_rules() -> None:
    assert _chains() == {}


def test_a_policy_that_selects_nobody_makes_no_rules() -> None:
    assert _chains(_policy("{podSelector: {matchLabels: {app: x}}, policyTypes: [Ingress]}")) == {}


def test_a_selected_pod_takes_nothing_by_default() -> None:
    chains = _chains(_policy("{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}"))
    assert chains == {
        "pods": ["ct direction reply accept", "ip daddr 10.244.0.2 jump ingress/10.244.0.2"],
        "ingress/10.244.0.2": ["ip saddr 10.244.0.2 return", "drop"],
        "forward": ["jump pods"],
        "input": ["jump pods"],
    }


@pytest.mark.parametrize(
    ("entry", "rules"),
    [
        ("{}", ["return"]),
        ("{from: []}", ["return"]),
        ("{ports: [{port: 80, protocol: TCP}]}", ["meta l4proto tcp th dport 80 return"]),
        ("{ports: [{protocol: UDP}]}", ["meta l4proto udp return"]),
        ("{ports: [{port: 1, endPort: 9}]}", ["meta l4proto tcp th dport 1-9 return"]),
        ("{ports: [{port: http}]}", ["meta l4proto tcp th dport 80 return"]),
        ("{ports: [{port: none}]}", []),
        ("{ports: [{port: 80, protocol: SCTP}]}", []),
        ("{from: [{podSelector: {}}]}", ["ip saddr 10.244.0.2 return", "ip saddr 10.244.0.3 return"]),
        ("{from: [{podSelector: {matchLabels: {app: db}}}]}", ["ip saddr 10.244.0.3 return"]),
        ("{from: [{namespaceSelector: {matchLabels: {team: guests}}}]}", ["ip saddr 10.244.0.4 return"]),
        (
            "{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}]}",
            ["ip saddr 10.244.0.2 return", "ip saddr 10.244.0.4 return"],
        ),
        (
            "{from: [{ipBlock: {cidr: 10.0.0.0/30, except: [10.0.0.1/32]}}]}",
            ["ip saddr 10.0.0.0/32 return", "ip saddr 10.0.0.2/31 return"],
        ),
        (
            "{from: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 80}, {port: 90}]}",
            [
                "ip saddr 10.244.0.3 meta l4proto tcp th dport 80 return",
                "ip saddr 10.244.0.3 meta l4proto tcp th dport 90 return",
            ],
        ),
    ],
)
def test_what_comes_in(entry: str, rules: list[str]) -> None:
    policy = _policy(
        f"{{podSelector: {{matchLabels: {{app: web}}}}, policyTypes: [Ingress], ingress: [{entry}]}}"
    )
    assert _chains(policy)["ingress/10.244.0.2"] == ["ip saddr 10.244.0.2 return", *rules, "drop"]


@pytest.mark.parametrize(
    ("entry", "rules"),
    [
        ("{to: [{podSelector: {}}], ports: [{port: sql}]}",
         ["ip daddr 10.244.0.3 meta l4proto tcp th dport 5432 return"]),
        ("{ports: [{port: sql}]}", ["ip daddr 10.244.0.3 meta l4proto tcp th dport 5432 return"]),
        (
            "{to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], "
            "ports: [{port: 53, protocol: UDP}]}",
            ["ip daddr 10.96.0.10 meta l4proto udp th dport 53 return"],
        ),
    ],
)  # fmt: skip
def test_what_goes_out(entry: str, rules: list[str]) -> None:
    policy = _policy(
        f"{{podSelector: {{matchLabels: {{app: web}}}}, policyTypes: [Egress], egress: [{entry}]}}"
    )
    chains = _chains(policy)
    assert chains["egress/10.244.0.2"] == ["ip daddr 10.244.0.2 return", *rules, "drop"]
    assert chains["pods"][1:] == ["ip saddr 10.244.0.2 jump egress/10.244.0.2"]


def test_policies_of_one_pod_add_up_and_those_of_other_namespaces_do_not_count() -> None:
    first = _policy("{podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: 1}]}]}", name="a")
    second = _policy("{podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: 2}]}]}", name="b")
    other = _policy("{podSelector: {}, policyTypes: [Ingress]}", namespace="away")
    chains = _chains(second, other, first)
    assert chains["ingress/10.244.0.3"][1:3] == [
        "meta l4proto tcp th dport 1 return",
        "meta l4proto tcp th dport 2 return",
    ]
    assert chains["ingress/10.244.0.4"] == ["ip saddr 10.244.0.4 return", "drop"]
    assert chains == _chains(first, other, second)


@pytest.mark.parametrize(
    ("cidr", "excepted", "left"),
    [
        ("10.0.0.0/8", [], ["10.0.0.0/8"]),
        ("10.0.0.0/31", ["10.0.0.1/32"], ["10.0.0.0/32"]),
        ("10.0.0.0/31", ["10.0.0.0/24"], []),
        ("10.0.0.0/31", ["192.168.0.0/16"], ["10.0.0.0/31"]),
        ("fd00::/8", [], []),
    ],
)
def test_a_network_without_some_of_its_parts(cidr: str, excepted: list[str], left: list[str]) -> None:
    assert network_policies.networks_of(cidr, excepted) == left


def _object(**status: Any) -> JsonObject:
    ports = [{"name": "http", "containerPort": 80}, {"containerPort": 81}]
    return {
        "metadata": {"namespace": "shop", "labels": {"app": "web"}},
        "spec": {"containers": [{"ports": ports}]},
        "status": status,
    }


def test_a_pod_is_read_with_its_named_ports() -> None:
    pod = network_policies.pod_of(_object(phase="Running", podIP="10.244.0.2"))
    assert pod == Pod("shop", "10.244.0.2", {"app": "web"}, {("TCP", "http"): 80})


def test_a_pod_without_address_or_that_has_ended_is_none() -> None:
    assert network_policies.pod_of(_object(phase="Pending")) is None
    assert network_policies.pod_of(_object(phase="Succeeded", podIP="10.244.0.2")) is None
