"""NetworkPolicies; what is refused here a real server refused in these words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Causes = Callable[..., list[tuple[str, str]]]
Obj = dict[str, Any]
NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def policy(rule: Obj | None = None, **spec: Any) -> Obj:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p"},
        "spec": {"podSelector": {}, "ingress": [rule or {}], **spec},
    }


def peer(**fields: Any) -> Obj:
    return policy({"from": [fields]})


def port(**fields: Any) -> Obj:
    return policy({"ports": [fields]})


@pytest.mark.parametrize(
    "obj",
    [
        policy(policyTypes=["Ingress", "Egress"], egress=[{}]),
        peer(podSelector={}, namespaceSelector={"matchLabels": {"a": "b"}}),
        peer(ipBlock={"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}),
        peer(ipBlock={"cidr": "2001:db8::/32"}),
        port(port=80, endPort=90),
        port(port="http"),
        port(protocol="UDP"),
    ],
)
def test_good_ones(causes_of: Causes, obj: Obj) -> None:
    assert causes_of(obj) == []


PORT, PEER = "spec.ingress[0].ports[0]", "spec.ingress[0].from[0]"


@pytest.mark.parametrize(
    ("obj", "field", "message"),
    [
        (peer(), PEER, "Required value: must specify a peer"),
        (
            peer(podSelector={}, ipBlock={"cidr": "10.0.0.0/8"}),
            PEER,
            "Forbidden: may not specify both ipBlock and another peer",
        ),
        (peer(ipBlock={"cidr": ""}), f"{PEER}.ipBlock.cidr", "Required value"),
        (peer(ipBlock={"cidr": "x"}), f"{PEER}.ipBlock.cidr", f'Invalid value: "x": {NO_CIDR}'),
        (
            peer(ipBlock={"cidr": "10.0.0.0/8", "except": ["x"]}),
            f"{PEER}.ipBlock.except[0]",
            f'Invalid value: "x": {NO_CIDR}',
        ),
        (
            peer(ipBlock={"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}),
            f"{PEER}.ipBlock.except[0]",
            'Invalid value: "11.0.0.0/16": must be a strict subset of `cidr` (10.0.0.0/8)',
        ),
        (
            peer(podSelector={"matchExpressions": [{"key": "a", "operator": "In"}]}),
            f"{PEER}.podSelector.matchExpressions[0].values",
            "Required value: must be specified when `operator` is 'In' or 'NotIn'",
        ),
        (port(port=0), f"{PORT}.port", "Invalid value: 0: must be between 1 and 65535, inclusive"),
        (
            port(endPort=9),
            f"{PORT}.endPort",
            "Invalid value: 9: may not be specified when `port` is not specified",
        ),
        (
            port(port="http", endPort=9),
            f"{PORT}.endPort",
            "Invalid value: 9: may not be specified when `port` is non-numeric",
        ),
        (
            port(port=80, endPort=70),
            f"{PORT}.endPort",
            "Invalid value: 70: must be greater than or equal to `port`",
        ),
        (
            port(port=80, endPort=70000),
            f"{PORT}.endPort",
            "Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            policy(policyTypes=["x"]),
            "spec.policyTypes[0]",
            'Unsupported value: "x": supported values: "Ingress", "Egress"',
        ),
        (
            policy(policyTypes=["Ingress", "Egress", "Ingress"]),
            "spec.policyTypes",
            'Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes',
        ),
    ],
)
def test_wrong_ones(causes_of: Causes, obj: Obj, field: str, message: str) -> None:
    assert causes_of(obj) == [(field, message)]
