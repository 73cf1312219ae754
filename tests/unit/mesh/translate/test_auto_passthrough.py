"""Chains and clusters by server name."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.golden.translate import worlds

from bookmesh.mesh.wire import type_urls

CASE = worlds.HERE / "auto-passthrough.in.yaml"


def names(hosts: list[str], *more: dict[str, Any], type_url: str = type_urls.CLUSTER) -> list[str]:
    """Names of the resources that a gateway with these hosts gets because of them."""
    objects = [d for d in yaml.safe_load_all(CASE.read_text()) if d and "kind" in d]
    objects += [d for d in yaml.safe_load_all((worlds.HERE / "bookinfo.yaml").read_text()) if d]
    objects[0]["spec"]["servers"][0]["hosts"] = hosts
    world = worlds.build([*objects, *more], {"proxy": "istio-system/istio-ingressgateway-1"})
    return [name for name in world.resources().messages(type_url) if name.startswith("outbound_")]


@pytest.mark.parametrize("type_url", [type_urls.CLUSTER, type_urls.ENDPOINTS])
def test_services_that_the_hosts_cover_have_clusters_with_endpoints(type_url: str) -> None:
    assert names(["details.default.svc.cluster.local"], type_url=type_url) == [
        "outbound_.9080_._.details.default.svc.cluster.local"
    ]
    assert (
        len(names(["*.default.svc.cluster.local"], type_url=type_url)) == 5
    )  # one subset besides the services
    assert names(["*.example.com"], type_url=type_url) == []


def test_what_is_outside_the_mesh_is_not_reached() -> None:
    spec = {"hosts": ["out.example.com"], "resolution": "DNS", "ports": [{"number": 80, "name": "http"}]}
    about = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {"name": "out"}}
    assert names(["*"], {**about, "spec": spec}) == names(["*.cluster.local"])


def test_endpoints_without_mtls_are_left_out() -> None:
    objects = [d for d in yaml.safe_load_all(CASE.read_text()) if d and "kind" in d]
    objects += [d for d in yaml.safe_load_all((worlds.HERE / "bookinfo.yaml").read_text()) if d]
    objects[0]["spec"]["servers"][0]["hosts"] = ["ratings.default.svc.cluster.local"]
    world = worlds.build(objects, {"proxy": "istio-system/istio-ingressgateway-1"})
    (found,) = [
        assignment
        for name, assignment in world.resources().messages(type_urls.ENDPOINTS).items()
        if name.startswith("outbound_")
    ]
    addresses = [
        e.endpoint.address.socket_address.address for group in found.endpoints for e in group.lb_endpoints
    ]
    assert addresses == ["10.244.0.15"]  # and not the pod without a sidecar
