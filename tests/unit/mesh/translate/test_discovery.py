"""Where endpoints of a cluster come from."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.registry import registry, services
from bookmesh.mesh.registry.protocols import Protocol
from bookmesh.mesh.translate import discovery
from bookmesh.mesh.wire import cluster as wire

PORT = services.ServicePort("p", 80, Protocol.HTTP, 8080)
ENDPOINTS = (registry.Endpoint("a.b", 443, weight=2), registry.Endpoint("c.d", 443))


def build(
    *, is_router: bool = False, endpoints: tuple[registry.Endpoint, ...] = ENDPOINTS, **fields: Any
) -> wire.Cluster:
    cluster = wire.Cluster(name="c")
    service = services.Service(hostname="h", name="h", namespace="shop", ports=(PORT,), **fields)
    discovery.apply(cluster, service, PORT, endpoints=endpoints, is_router=is_router, dns_refresh_s=60)
    return cluster


@pytest.mark.parametrize(
    ("fields", "kind", "names"),
    [
        ({}, wire.Cluster.EDS, []),
        ({"resolution": "STATIC"}, wire.Cluster.EDS, []),
        ({"resolution": "NONE"}, wire.Cluster.ORIGINAL_DST, []),
        ({"resolution": "NONE", "is_router": True}, wire.Cluster.EDS, []),
        ({"is_headless": True}, wire.Cluster.ORIGINAL_DST, []),
        ({"is_headless": True, "is_router": True}, wire.Cluster.EDS, []),
        ({"resolution": "DNS"}, wire.Cluster.STRICT_DNS, ["a.b", "c.d"]),
        ({"resolution": "DNS_ROUND_ROBIN"}, wire.Cluster.LOGICAL_DNS, ["a.b"]),
        ({"external_name": "x.y"}, wire.Cluster.STRICT_DNS, ["x.y"]),
    ],
)
def test_resolution_is_the_type_of_the_cluster(fields: dict[str, Any], kind: int, names: list[str]) -> None:
    found = build(**fields)
    members = [e for group in found.load_assignment.endpoints for e in group.lb_endpoints]
    assert found.type == kind
    assert [member.endpoint.address.socket_address.address for member in members] == names
    assert found.HasField("eds_cluster_config") is (kind == wire.Cluster.EDS)


def test_a_service_whose_names_are_not_there_yet_has_a_cluster_that_envoy_takes() -> None:
    found = build(resolution="DNS_ROUND_ROBIN", endpoints=())
    assert found.type == wire.Cluster.STRICT_DNS
    assert not found.load_assignment.endpoints
