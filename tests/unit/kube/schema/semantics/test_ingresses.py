"""Ingresses and their classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Causes = Callable[..., list[tuple[str, str]]]
Obj = dict[str, Any]
BACKEND = {"service": {"name": "web", "port": {"number": 80}}}


def ingress(*paths: Obj, host: str = "a.example.com", annotations: Obj | None = None, **spec: Any) -> Obj:
    rules = [{"host": host, "http": {"paths": list(paths) or [path()]}}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "i", "annotations": annotations or {}},
        "spec": {"rules": rules, **spec},
    }


def path(text: str = "/", kind: str = "Prefix", backend: Obj | None = None) -> Obj:
    return {"path": text, "pathType": kind, "backend": BACKEND if backend is None else backend}


def ingress_class(controller: str = "istio.io/ingress-controller", **spec: Any) -> Obj:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "c"},
        "spec": {"controller": controller, **spec},
    }


@pytest.mark.parametrize(
    "obj",
    [
        ingress(),
        ingress(host="*.example.com"),
        ingress(path("", "ImplementationSpecific")),
        ingress(path(backend={"resource": {"kind": "Bucket", "name": "b"}})),
        ingress(path(backend={"service": {"name": "web", "port": {"name": "http"}}})),
        ingress(rules=[], defaultBackend=BACKEND),
        ingress(annotations={"kubernetes.io/ingress.class": "istio"}),
        ingress(ingressClassName="istio", tls=[{"hosts": ["a.example.com"], "secretName": "s"}]),
        ingress_class(),
        ingress_class(parameters={"kind": "P", "name": "p"}),
    ],
)
def test_a_good_one_is_fine(causes_of: Causes, obj: Obj) -> None:
    assert causes_of(obj) == []


@pytest.mark.parametrize(
    ("obj", "field", "message"),
    [
        (ingress(rules=[]), "spec", "either `defaultBackend` or `rules` must be specified"),
        (
            ingress(annotations={"kubernetes.io/ingress.class": "istio"}, ingressClassName="istio"),
            "annotations.kubernetes.io/ingress.class",
            "can not be set when the class field is also set",
        ),
        (ingress(ingressClassName="A B"), "spec.ingressClassName", "a lowercase RFC 1123 subdomain"),
        (ingress(host="10.0.0.1"), "spec.rules[0].host", "must be a DNS name, not an IP address"),
        (ingress(host="*"), "spec.rules[0].host", "a wildcard DNS-1123 subdomain must start with '*.'"),
        (ingress(host="a.*.com"), "spec.rules[0].host", "a lowercase RFC 1123 subdomain"),
        (ingress(tls=[{"hosts": ["A"]}]), "spec.tls[0].hosts[0]", "a lowercase RFC 1123 subdomain"),
        (ingress(path("a")), "spec.rules[0].http.paths[0].path", "must be an absolute path"),
        (ingress(path("/a//b")), "spec.rules[0].http.paths[0].path", "must not contain '//'"),
        (ingress(path("/a/..", "Exact")), "spec.rules[0].http.paths[0].path", "cannot end with '/..'"),
        (
            ingress(path("a", "ImplementationSpecific")),
            "spec.rules[0].http.paths[0].path",
            "must be an absolute path",
        ),
        (
            ingress(path(backend={})),
            "spec.rules[0].http.paths[0].backend",
            "resource or service backend is required",
        ),
        (
            ingress(path(backend={**BACKEND, "resource": {"kind": "B", "name": "b"}})),
            "spec.rules[0].http.paths[0].backend",
            "cannot set both resource and service backends",
        ),
        (
            ingress(path(backend={"service": {"name": "web"}})),
            "spec.rules[0].http.paths[0].backend",
            "port name or number is required",
        ),
        (
            ingress(path(backend={"service": {"name": "web", "port": {"number": 1, "name": "a"}}})),
            "spec.rules[0].http.paths[0].backend",
            "cannot set both port name & port number",
        ),
        (
            ingress(path(backend={"service": {"name": "1", "port": {"number": 70000}}})),
            "spec.rules[0].http.paths[0].backend.service.name",
            "a DNS-1035 label",
        ),
        (
            ingress(rules=[], defaultBackend={"service": {"name": "web", "port": {"number": 70000}}}),
            "spec.defaultBackend.service.port.number",
            "must be between 1 and 65535",
        ),
        (ingress_class("nothing"), "spec.controller", "must be a domain-prefixed path"),
        (ingress_class(f"a.b/{'c' * 250}"), "spec.controller", "may not be more than 250 bytes"),
        (
            ingress_class(parameters={"kind": "P", "name": "p", "scope": "Namespace"}),
            "spec.parameters.namespace",
            "`parameters.scope` is set to 'Namespace'",
        ),
        (
            ingress_class(parameters={"kind": "P", "name": "p", "namespace": "n"}),
            "spec.parameters.namespace",
            "`parameters.scope` is set to 'Cluster'",
        ),
    ],
)
def test_what_is_wrong_is_named(causes_of: Causes, obj: Obj, field: str, message: str) -> None:
    found = causes_of(obj)
    assert found[0][0] == field
    assert message in found[0][1]


def test_a_rule_needs_paths(causes_of: Causes) -> None:
    obj = ingress(rules=[{"host": "a.example.com", "http": {"paths": []}}])
    assert causes_of(obj) == [("spec.rules[0].http.paths", "Required value")]
    assert causes_of(ingress(rules=[{"host": "a.example.com"}])) == []


def test_the_controller_of_a_class_stays(causes_of: Causes) -> None:
    found = causes_of(ingress_class("a.b/c"), ingress_class("a.b/d"))
    assert found == [("spec.controller", 'Invalid value: "a.b/c": field is immutable')]


def test_a_class_may_be_set_where_the_annotation_is_already(causes_of: Causes) -> None:
    annotations = {"kubernetes.io/ingress.class": "istio"}
    changed = ingress(annotations=annotations, ingressClassName="istio")
    assert causes_of(changed, ingress(annotations=annotations)) == []
