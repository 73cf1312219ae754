"""What the Gateway API promises about statuses: each test carries the name of the claimed feature."""

from __future__ import annotations

from typing import Any

import pytest
from tests.golden.translate import worlds

from bookmesh.mesh.gateway_api import features

GROUP = "gateway.networking.k8s.io"
HTTP = {"name": "http", "port": 80, "protocol": "HTTP"}
SERVICE = {"kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"name": "http", "port": 80}]}}
THEIRS = {**SERVICE, "metadata": {"name": "web", "namespace": "other"}}
BACKEND = [{"backendRefs": [{"name": "web", "port": 80}]}]


def obj(
    kind: str, name: str, spec: dict[str, Any], *, namespace: str = "default", version: str = "v1"
) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": f"{GROUP}/{version}", "kind": kind, "metadata": metadata, "spec": spec}


def gateway(*listeners: dict[str, Any]) -> dict[str, Any]:
    return obj("Gateway", "edge", {"gatewayClassName": "istio", "listeners": list(listeners)})


def route(
    name: str = "web", *, kind: str = "HTTPRoute", namespace: str = "default", **spec: Any
) -> dict[str, Any]:
    refs = [{"name": "edge", "namespace": "default"}]
    return obj(kind, name, {"parentRefs": refs, "rules": BACKEND, **spec}, namespace=namespace)


def grant(kind: str, to: dict[str, str]) -> dict[str, Any]:
    givers = [{"group": GROUP, "kind": kind, "namespace": "default"}]
    return obj("ReferenceGrant", "g", {"from": givers, "to": [to]}, namespace="other", version="v1beta1")


def statuses(*objects: dict[str, Any], secrets: dict[str, str] | None = None) -> dict[str, Any]:
    """The statuses of objects, by kind and name."""
    world = worlds.build([SERVICE, THEIRS, *objects], {"secrets": secrets or {}})
    return {
        f"{ref.kind.partition('.')[0]} {ref.name}": status
        for ref, status in world.conversion.statuses.items()
    }


def reasons(conditions: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    return {each["type"]: (each["status"], each["reason"]) for each in conditions}


def listener(found: dict[str, Any], name: str = "http") -> dict[str, Any]:
    return next(each for each in found["Gateway edge"]["listeners"] if each["name"] == name)


@pytest.mark.feature("Gateway")
def test_a_listener_tells_the_kinds_of_routes_it_takes() -> None:
    kinds = {"allowedRoutes": {"kinds": [{"kind": "HTTPRoute"}, {"kind": "Unknown"}]}}
    found = listener(statuses(gateway({**HTTP, **kinds})))
    assert found["supportedKinds"] == [{"group": GROUP, "kind": "HTTPRoute"}]
    assert reasons(found["conditions"])["ResolvedRefs"] == ("False", "InvalidRouteKinds")


@pytest.mark.feature("Gateway")
def test_routes_that_are_accepted_are_counted_by_listener() -> None:
    listeners = (HTTP, {"name": "alt", "port": 8080, "protocol": "HTTP", "hostname": "a.example.com"})
    found = statuses(
        gateway(*listeners),
        route("everywhere"),
        route("alt", parentRefs=[{"name": "edge", "port": 8080}]),
        route("elsewhere", hostnames=["b.example.com"]),
        route("denied", namespace="other"),
    )
    assert listener(found)["attachedRoutes"] == 2
    assert listener(found, "alt")["attachedRoutes"] == 2


@pytest.mark.feature("Gateway")
@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ({"name": "missing"}, "InvalidCertificateRef"),
        ({"name": "pair", "kind": "ConfigMap"}, "InvalidCertificateRef"),
        ({"name": "pair", "group": "example.com"}, "InvalidCertificateRef"),
        ({"name": "trusted"}, "InvalidCertificateRef"),
        ({"name": "theirs", "namespace": "other"}, "RefNotPermitted"),
    ],
)
def test_a_listener_whose_certificate_cannot_be_used_is_not_programmed(
    ref: dict[str, str], reason: str
) -> None:
    secrets = {"default/pair": "pair", "default/trusted": "trusted", "other/theirs": "pair"}
    https = {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [ref]}}
    found = reasons(listener(statuses(gateway(HTTP, https), secrets=secrets), "https")["conditions"])
    assert found["ResolvedRefs"] == ("False", reason)
    assert found["Programmed"] == ("False", "Invalid")


@pytest.mark.feature("ReferenceGrant")
@pytest.mark.parametrize(
    ("to", "is_allowed"),
    [
        ({"group": "", "kind": "Secret"}, True),
        ({"group": "", "kind": "Secret", "name": "theirs"}, True),
        ({"group": "", "kind": "Secret", "name": "another"}, False),
        ({"group": "", "kind": "Service"}, False),
    ],
)
def test_a_grant_lets_a_listener_use_a_certificate(to: dict[str, str], is_allowed: bool) -> None:
    ref = {"name": "theirs", "namespace": "other"}
    https = {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [ref]}}
    found = statuses(gateway(https), grant("Gateway", to), secrets={"other/theirs": "pair"})
    status = reasons(listener(found, "https")["conditions"])["ResolvedRefs"]
    assert status == (("True", "ResolvedRefs") if is_allowed else ("False", "RefNotPermitted"))


@pytest.mark.feature("ReferenceGrant")
@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute"])
def test_a_route_needs_a_grant_for_a_backend_of_another_namespace(kind: str) -> None:
    foreign = [{"backendRefs": [{"name": "web", "namespace": "other", "port": 80}]}]

    def resolved(*more: dict[str, Any]) -> tuple[str, str]:
        found = statuses(gateway(HTTP), route(kind=kind, rules=foreign), *more)
        return reasons(found[f"{kind} web"]["parents"][0]["conditions"])["ResolvedRefs"]

    assert resolved() == ("False", "RefNotPermitted")
    assert resolved(grant(kind, {"group": "", "kind": "Service"})) == ("True", "ResolvedRefs")


@pytest.mark.feature("HTTPRoute")
@pytest.mark.parametrize(
    ("spec", "type_", "reason"),
    [
        ({"parentRefs": [{"name": "edge", "sectionName": "gone"}]}, "Accepted", "NoMatchingParent"),
        ({"parentRefs": [{"name": "edge", "port": 81}]}, "Accepted", "NoMatchingParent"),
        (
            {"parentRefs": [{"name": "edge", "sectionName": "http", "port": 81}]},
            "Accepted",
            "NoMatchingParent",
        ),
        ({"hostnames": ["example.org"]}, "Accepted", "NoMatchingListenerHostname"),
        ({"rules": [{"backendRefs": [{"name": "gone", "port": 80}]}]}, "ResolvedRefs", "BackendNotFound"),
        (
            {"rules": [{"backendRefs": [{"name": "x", "kind": "Odd", "port": 80}]}]},
            "ResolvedRefs",
            "InvalidKind",
        ),
    ],
)
def test_a_route_says_why_it_is_not_in_force(spec: dict[str, Any], type_: str, reason: str) -> None:
    found = statuses(gateway({**HTTP, "hostname": "*.example.com"}), route(**spec))
    (parent,) = found["HTTPRoute web"]["parents"]
    assert reasons(parent["conditions"])[type_] == ("False", reason)


@pytest.mark.feature("HTTPRoute")
def test_a_route_of_another_namespace_needs_the_gateway_s_permission() -> None:
    denied = statuses(gateway(HTTP), route(namespace="other"))
    allowed = {**HTTP, "allowedRoutes": {"namespaces": {"from": "All"}}}
    accepted = statuses(gateway(allowed), route(namespace="other"))
    found = [each["HTTPRoute web"]["parents"][0]["conditions"] for each in (denied, accepted)]
    assert [reasons(each)["Accepted"] for each in found] == [
        ("False", "NotAllowedByListeners"),
        ("True", "Accepted"),
    ]


@pytest.mark.feature("Mesh")
def test_a_route_of_a_service_is_accepted() -> None:
    ref = [{"group": "", "kind": "Service", "name": "web", "port": 80}]
    (parent,) = statuses(route(parentRefs=ref))["HTTPRoute web"]["parents"]
    assert parent["parentRef"] == ref[0]
    assert set(reasons(parent["conditions"]).values()) == {("True", "Accepted"), ("True", "ResolvedRefs")}


def test_the_class_tells_the_features() -> None:
    found = statuses(obj("GatewayClass", "istio", {"controllerName": "istio.io/gateway-controller"}))
    names = [each["name"] for each in found["GatewayClass istio"]["supportedFeatures"]]
    assert names == sorted(each.name for each in features.FEATURES)
