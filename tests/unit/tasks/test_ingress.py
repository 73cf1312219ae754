from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.tasks.fake_kubectl import FakeKubectl, said

from bookmesh.tasks import ingress
from bookmesh.tasks.kubectl import ClusterError


def cluster(ports: list[dict[str, int]], balancer: list[dict[str, str]], addresses: list[Any]) -> FakeKubectl:
    service = {"spec": {"ports": ports}, "status": {"loadBalancer": {"ingress": balancer}}}
    nodes = {"items": [{"status": {"addresses": addresses}}]}
    return FakeKubectl(
        lambda arguments, _stdin: said(json.dumps(service if arguments[1] == "service" else nodes))
    )


PORTS = [{"port": 80, "nodePort": 30001}, {"port": 443, "nodePort": 30002}]


def test_a_load_balancer_is_preferred() -> None:
    found = ingress.find(cluster(PORTS, [{"ip": "127.97.1.1"}], []))
    assert found == ("127.97.1.1", {80: 80, 443: 443})
    assert ingress.find(cluster(PORTS[:1], [{"hostname": "lb"}], [])) == ("lb", {80: 80})


def test_else_it_is_a_port_of_a_node() -> None:
    inside = {"type": "InternalIP", "address": "10.0.0.1"}
    outside = {"type": "ExternalIP", "address": "1.2.3.4"}
    assert ingress.find(cluster(PORTS, [], [inside])) == ("10.0.0.1", {80: 30001, 443: 30002})
    assert ingress.find(cluster(PORTS, [], [inside, outside])).host == "1.2.3.4"


def test_a_gateway_without_an_address_is_told() -> None:
    with pytest.raises(ClusterError, match="neither"):
        ingress.find(cluster([{"port": 80}], [], []))
    with pytest.raises(ClusterError, match="no node"):
        ingress.find(cluster(PORTS, [], []))
