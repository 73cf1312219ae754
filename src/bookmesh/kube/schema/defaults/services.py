"""Services and endpoints. Addresses and node ports are allocated by the API server, not defaulted."""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema.defaults.filling import child, fill, objects

_AFFINITY_TIMEOUT_S: Final = 3 * 60 * 60


def fill_service(service: JsonObject) -> None:
    spec = child(service, "spec")
    fill(spec, type="ClusterIP", sessionAffinity="None")
    if spec["sessionAffinity"] == "ClientIP":
        fill(child(child(spec, "sessionAffinityConfig"), "clientIP"), timeoutSeconds=_AFFINITY_TIMEOUT_S)
    else:
        spec.pop("sessionAffinityConfig", None)
    for port in objects(spec, "ports"):
        fill(port, protocol="TCP")
        if port.get("targetPort") in (None, "", 0):
            port["targetPort"] = port.get("port")
    kind = spec["type"]
    if kind != "ExternalName":
        fill(spec, internalTrafficPolicy="Cluster", ipFamilyPolicy="SingleStack")
        if not spec.get("ipFamilies"):
            spec["ipFamilies"] = ["IPv4"]
    if kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs")):
        fill(spec, externalTrafficPolicy="Cluster")
    if kind == "LoadBalancer":
        fill(spec, allocateLoadBalancerNodePorts=True)
    fill(child(service, "status"), loadBalancer={})


def fill_endpoints(endpoints: JsonObject) -> None:
    for subset in objects(endpoints, "subsets"):
        for port in objects(subset, "ports"):
            fill(port, protocol="TCP")


def fill_endpoint_slice(endpoint_slice: JsonObject) -> None:
    for port in objects(endpoint_slice, "ports"):
        fill(port, protocol="TCP")
        port.setdefault("name", "")
