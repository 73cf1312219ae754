"""What a cluster refuses of the Gateway API, an API server with our CRDs refuses too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject, Resource
from bookmesh.kube.api import verbs
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import store
from bookmesh.mesh.model import crds
from bookmesh.mesh.model.gateway_api import rules

PREFIX = {"path": {"type": "PathPrefix", "value": "/a"}}
BACKEND = {"name": "web", "port": 80}
REDIRECT = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}
HEADERS = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "a", "value": "b"}]}}
REWRITE = {
    "type": "URLRewrite",
    "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/b"}},
}
MIRROR = {"type": "RequestMirror", "requestMirror": {"backendRef": BACKEND}}
HTTP = {"name": "http", "port": 80, "protocol": "HTTP"}
CERTIFICATES = {"certificateRefs": [{"name": "cert"}]}


@pytest.fixture(scope="module")
def over() -> Iterator[verbs.Verbs]:
    objects = store.Store.open(None)
    found = verbs.Verbs(objects, kinds.Kinds(), schemas.Schemas.load())
    found.create(kubernetes.NAMESPACES, {"metadata": {"name": "default"}})
    for crd in crds.build_gateway_api_crds():
        found.create(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, crd)
    yield found
    objects.close()


def create(over: verbs.Verbs, plural: str, spec: JsonObject) -> None:
    resource = Resource("gateway.networking.k8s.io", "v1", plural)
    over.create(resource, {"metadata": {"generateName": "a-", "namespace": "default"}, "spec": spec})


def rule(**changed: Any) -> JsonObject:
    return {"rules": [{"backendRefs": [BACKEND], **changed}]}


@pytest.mark.parametrize(
    "spec",
    [
        rule(),
        rule(matches=[PREFIX], filters=[REWRITE, HEADERS, MIRROR, MIRROR]),
        {"rules": [{"filters": [REDIRECT]}]},
        rule(timeouts={"request": "2s", "backendRequest": "1s"}),
        rule(timeouts={"request": "0s", "backendRequest": "1s"}),
        rule(matches=[{"path": {"type": "RegularExpression", "value": "a//b"}}]),
        {"parentRefs": [{"name": "a", "sectionName": "x"}, {"name": "a", "sectionName": "y"}, {"name": "b"}]},
        rule(backendRefs=[{"group": "example.com", "kind": "Thing", "name": "a"}]),
    ],
)
def test_routes_that_are_taken(over: verbs.Verbs, spec: JsonObject) -> None:
    create(over, "httproutes", spec)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (rule(filters=[REDIRECT]), "RequestRedirect and backendRefs cannot be used together"),
        (rule(filters=[HEADERS, HEADERS]), "may be there once"),
        (rule(filters=[REDIRECT, REWRITE]), "RequestRedirect and URLRewrite cannot be used together"),
        (rule(filters=[{"type": "URLRewrite"}]), "the field of the filter's type must be set"),
        (rule(filters=[{**HEADERS, "type": "RequestMirror"}]), "the field of the filter's type must be set"),
        (
            rule(filters=[REWRITE], matches=[{"path": {"type": "Exact", "value": "/a"}}]),
            "needs exactly one match, with a PathPrefix",
        ),
        (rule(filters=[REWRITE], matches=[PREFIX, PREFIX]), "needs exactly one match, with a PathPrefix"),
        (rule(matches=[{"path": {"type": "Exact", "value": "a"}}]), "must start with '/'"),
        (rule(matches=[{"path": {"type": "Exact", "value": "/a//b"}}]), "must not contain"),
        (rule(matches=[{"path": {"type": "Exact", "value": "/a/.."}}]), "must not end with"),
        (rule(matches=[{"path": {"type": "Exact", "value": "/a b"}}]), "characters but those of paths"),
        (rule(matches=[{"headers": [{"name": "a b", "value": "x"}]}]), "must be one of a header"),
        (rule(matches=[{"headers": [{"name": "a", "value": "x"}] * 2}]), "names must be different"),
        (rule(backendRefs=[{"name": "web"}]), "a Service needs a port"),
        (rule(backendRefs=[{**BACKEND, "kind": "a/b"}]), "kind must be the name of a kind"),
        (rule(timeouts={"request": "1s", "backendRequest": "2s"}), "must not be longer than request"),
        ({"parentRefs": [{"name": "a"}, {"name": "a"}]}, "must differ in sectionName or port"),
    ],
)
def test_routes_that_are_refused(over: verbs.Verbs, spec: JsonObject, why: str) -> None:
    with pytest.raises(ApiError, match=why) as refusal:
        create(over, "httproutes", spec)
    assert refusal.value.code == 422


@pytest.mark.parametrize(
    ("listeners", "why"),
    [
        ([HTTP, {**HTTP, "name": "other", "hostname": "a.example"}], ""),
        ([{**HTTP, "protocol": "HTTPS", "tls": CERTIFICATES}], ""),
        ([{**HTTP, "protocol": "TLS", "tls": {"mode": "Passthrough"}}], ""),
        ([HTTP, {**HTTP, "name": "other"}], "must differ in port, protocol or hostname"),
        ([HTTP, {**HTTP, "port": 81}], "names must be different"),
        ([{**HTTP, "tls": CERTIFICATES}], "HTTP, TCP and UDP have no tls"),
        ([{**HTTP, "protocol": "HTTPS", "tls": {"mode": "Passthrough"}}], "mode of HTTPS must be Terminate"),
        ([{**HTTP, "protocol": "HTTPS", "tls": {}}], "needs certificateRefs or options"),
        ([{**HTTP, "protocol": "TLS"}], "TLS needs tls"),
        ([{**HTTP, "protocol": "TCP", "hostname": "a.example"}], "TCP and UDP have no hostname"),
        ([{**HTTP, "name": "A b"}], "names of listeners must be those of objects"),
    ],
)
def test_listeners(over: verbs.Verbs, listeners: list[JsonObject], why: str) -> None:
    spec = {"gatewayClassName": "istio", "listeners": listeners}
    if not why:
        create(over, "gateways", spec)
        return
    with pytest.raises(ApiError, match=why):
        create(over, "gateways", spec)


def test_every_path_is_there() -> None:
    made = {crd["spec"]["names"]["kind"]: crd for crd in crds.build_gateway_api_crds()}
    assert rules.RULES.keys() <= made.keys()
    with pytest.raises(KeyError):
        rules.add({"properties": {}}, "HTTPRoute")
