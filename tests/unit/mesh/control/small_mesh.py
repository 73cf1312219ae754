"""A mesh of one gateway and one service with two versions, as the objects of an API server."""

from __future__ import annotations

from typing import Any

from tests.unit.mesh.control.fake_kubernetes import FakeClient

from bookmesh.base.kubernetes import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES, Resource

VIRTUAL_SERVICES = Resource("networking.istio.io", "v1", "virtualservices")
DESTINATION_RULES = Resource("networking.istio.io", "v1", "destinationrules")
GATEWAYS = Resource("networking.istio.io", "v1", "gateways")
ENVOY_FILTERS = Resource("networking.istio.io", "v1alpha3", "envoyfilters")
HOST = "reviews.example.org"


def pod(
    name: str, ip: str, *, namespace: str = "default", gateway: bool = False, **labels: str
) -> dict[str, Any]:
    annotations = {"sidecar.istio.io/status": "{}"}
    if gateway:
        annotations["inject.istio.io/templates"] = "gateway"
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-of-{name}",
            "labels": labels,
            "annotations": annotations,
        },
        "spec": {"serviceAccountName": name.partition("-")[0], "containers": [{"name": "app"}]},
        "status": {"podIP": ip, "phase": "Running"},
    }


def service(
    name: str, port: int, target: int, *, namespace: str = "default", **selector: str
) -> dict[str, Any]:
    ports = [{"name": "http", "port": port, "targetPort": target, "protocol": "TCP"}]
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.50", "ports": ports, "selector": selector},
    }


def endpoint_slice(name: str, port: int, *ips: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{name}-1",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [ip], "conditions": {"ready": True}} for ip in ips],
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
    }


def config(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": spec,
    }


def route_to(subset: str, match: list[dict[str, Any]] | None = None, name: str = "reviews") -> dict[str, Any]:
    route: dict[str, Any] = {"route": [{"destination": {"host": "reviews", "subset": subset}}]}
    if match:
        route["match"] = match
    return config("VirtualService", name, hosts=[HOST], gateways=["public"], http=[route])


def subsets(*names: str) -> dict[str, Any]:
    return config(
        "DestinationRule",
        "reviews",
        host="reviews",
        subsets=[{"name": name, "labels": {"version": name.partition("-")[0]}} for name in names],
    )


def route_patch(**match: Any) -> dict[str, Any]:
    """Lay another condition over all routes of gateways."""
    merge = {"operation": "MERGE", "value": {"match": match}}
    patch = {"applyTo": "HTTP_ROUTE", "match": {"context": "GATEWAY"}, "patch": merge}
    found = config("EnvoyFilter", "patch", configPatches=[patch])
    return found | {"apiVersion": "networking.istio.io/v1alpha3"}


GATEWAY_POD = pod("ingress-0", "127.0.0.1", gateway=True, istio="ingress")


def populate(client: FakeClient, *, listen: int, backends: int) -> None:
    """The gateway's Service leads to port `listen` of its pod; v1 and v2 are at 127.0.0.11 and .12, port `backends`."""
    client.put(NAMESPACES, {"metadata": {"name": "default"}})
    client.put(PODS, GATEWAY_POD)
    client.put(PODS, pod("reviews-v1", "127.0.0.11", app="reviews", version="v1"))
    client.put(PODS, pod("reviews-v2", "127.0.0.12", app="reviews", version="v2"))
    client.put(SERVICES, service("ingress", 80, listen, istio="ingress"))
    client.put(SERVICES, service("reviews", 9080, backends, app="reviews"))
    client.put(ENDPOINT_SLICES, endpoint_slice("reviews", backends, "127.0.0.11", "127.0.0.12"))
    server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
    client.put(GATEWAYS, config("Gateway", "public", selector={"istio": "ingress"}, servers=[server]))
    client.put(DESTINATION_RULES, subsets("v1", "v2"))
    client.put(VIRTUAL_SERVICES, route_to("v1"))
