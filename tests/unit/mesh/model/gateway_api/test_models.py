from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.model import crds, parsing
from bookmesh.mesh.model.gateway_api import kinds

GROUP = "gateway.networking.k8s.io"
LISTENER = {"name": "http", "port": 80, "protocol": "HTTP"}
GATEWAY = {"gatewayClassName": "istio", "listeners": [LISTENER]}
VALIDATION = {"hostname": "a.example.com", "wellKnownCACertificates": "System"}
TARGETS = [{"group": "", "kind": "Service", "name": "a"}]


def parse(kind: str, spec: dict[str, Any], version: str = "v1") -> parsing.Parsed:
    return parsing.parse(
        {"apiVersion": f"{GROUP}/{version}", "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    )


def http(**rule: Any) -> dict[str, Any]:
    return {"parentRefs": [{"name": "edge"}], "rules": [rule]}


@pytest.mark.parametrize(
    ("kind", "version", "spec", "where"),
    [
        ("Gateway", "v1", {**GATEWAY, "listeners": []}, "spec.listeners"),
        ("Gateway", "v1", {**GATEWAY, "listeners": [LISTENER, LISTENER]}, "spec"),
        ("Gateway", "v1", {**GATEWAY, "listeners": [{**LISTENER, "port": 0}]}, "spec.listeners[0].port"),
        (
            "Gateway",
            "v1",
            {**GATEWAY, "listeners": [{**LISTENER, "hostname": "*"}]},
            "spec.listeners[0].hostname",
        ),
        ("Gateway", "v1", {**GATEWAY, "nonsense": 1}, "spec"),
        ("HTTPRoute", "v1", http(matches=[{"path": {"value": "no-slash"}}]), "spec.rules[0].matches[0].path"),
        ("HTTPRoute", "v1", http(timeouts={"request": "soon"}), "spec.rules[0].timeouts.request"),
        ("HTTPRoute", "v1", http(filters=[{"type": "Unknown"}]), "spec.rules[0].filters[0].type"),
        (
            "HTTPRoute",
            "v1",
            http(filters=[{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplaceFullPath"}}}]),
            "spec.rules[0].filters[0].urlRewrite.path",
        ),
        ("GRPCRoute", "v1", http(matches=[{"method": {}}]), "spec.rules[0].matches[0].method"),
        ("TCPRoute", "v1alpha2", {"rules": []}, "spec.rules"),
        ("ReferenceGrant", "v1beta1", {"from": [], "to": []}, "spec.from"),
        (
            "BackendTLSPolicy",
            "v1alpha3",
            {"targetRefs": TARGETS, "validation": {"hostname": "a.example.com"}},
            "spec.validation",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    kind: str, version: str, spec: dict[str, Any], where: str
) -> None:
    found = parse(kind, spec, version)
    assert found.spec is None
    assert [(finding.code, finding.where) for finding in found.findings] == [("BM0201", where)]


def test_references_tell_this_gateway_from_istio_s() -> None:
    found = parse("Gateway", GATEWAY)
    assert found.ref.kind == "Gateway.gateway.networking.k8s.io"
    assert found.api == f"{GROUP}/v1"


def test_a_class_has_no_namespace() -> None:
    found = parse("GatewayClass", {"controllerName": "istio.io/gateway-controller"})
    assert str(found.ref) == "GatewayClass x"


def test_every_older_version_is_read() -> None:
    assert parse("HTTPRoute", http(), "v1beta1").spec == parse("HTTPRoute", http(), "v1").spec
    policy = parse("BackendTLSPolicy", {"targetRefs": TARGETS, "validation": VALIDATION}, "v1alpha3")
    assert policy.spec is not None


def test_fields_without_effect_are_told() -> None:
    found = parse("HTTPRoute", http(sessionPersistence={"type": "Header"}))
    assert [(finding.code, finding.where) for finding in found.findings] == [
        ("BM0205", "spec.rules[0].sessionPersistence")
    ]


def _defaults(schema: dict[str, Any], path: str = "") -> dict[str, Any]:
    found = {path: schema["default"]} if "default" in schema else {}
    for name, below in schema.get("properties", {}).items():
        found |= _defaults(below, f"{path}.{name}")
    return found | (_defaults(schema["items"], f"{path}[]") if "items" in schema else {})


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.kind)
def test_the_schema_and_the_structure_have_the_same_defaults(kind: Any) -> None:
    """An object that no API server has filled in means the same as one that was."""
    (version, *_) = crds.build_crd(kind, {})["spec"]["versions"]
    defaults = _defaults(version["schema"]["openAPIV3Schema"])
    if kind.kind == "HTTPRoute":
        assert defaults[".spec.rules[].matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
        filled = http(matches=defaults[".spec.rules[].matches"])
        assert parse("HTTPRoute", filled).spec == parse("HTTPRoute", http()).spec
    if kind.kind == "Gateway":
        assert defaults[".spec.listeners[].allowedRoutes"] == {"namespaces": {"from": "Same"}}
        listener = {**LISTENER, "allowedRoutes": defaults[".spec.listeners[].allowedRoutes"]}
        assert parse("Gateway", {**GATEWAY, "listeners": [listener]}).spec == parse("Gateway", GATEWAY).spec
    for path, value in defaults.items():
        assert path.startswith(".spec"), (path, value)


def test_definitions_are_named_as_the_bundle_names_them() -> None:
    found = {crd["metadata"]["name"]: crd for crd in crds.build_gateway_api_crds()}
    assert len(found) == 8
    assert found[f"gatewayclasses.{GROUP}"]["spec"]["scope"] == "Cluster"
    names = found[f"gateways.{GROUP}"]["spec"]["names"]
    assert (names["shortNames"], names["categories"]) == (["gtw"], ["gateway-api"])
    for crd in found.values():
        assert crd["metadata"]["annotations"][f"{GROUP}/bundle-version"] == kinds.BUNDLE_VERSION
