"""Ingresses and their classes."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause

CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
_LONGEST_CONTROLLER: Final = 250
_BAD_IN_PATHS: Final = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDINGS: Final = ("/..", "/.")
_WILDCARD: Final = r"\*(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+"


def check_ingress(ingress: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = ingress.get("spec") or {}
    found: list[Cause] = []
    if not spec.get("rules") and not spec.get("defaultBackend"):
        why = "either `defaultBackend` or `rules` must be specified"
        found.append(causes.invalid("spec", spec.get("rules") or [], why))
    annotations = ingress["metadata"].get("annotations") or {}
    if old is None and spec.get("ingressClassName") is not None and CLASS_ANNOTATION in annotations:
        why = "can not be set when the class field is also set"
        found.append(causes.invalid(f"annotations.{CLASS_ANNOTATION}", annotations[CLASS_ANNOTATION], why))
    if spec.get("ingressClassName") is not None:
        found += names.check("spec.ingressClassName", spec["ingressClassName"], names.dns_subdomain)
    if spec.get("defaultBackend"):
        found += _check_backend(spec["defaultBackend"], "spec.defaultBackend")
    for index, tls in enumerate(spec.get("tls") or []):
        for position, host in enumerate(tls.get("hosts") or []):
            found += _check_name(f"spec.tls[{index}].hosts[{position}]", host)
    for index, rule in enumerate(spec.get("rules") or []):
        found += _check_rule(rule, f"spec.rules[{index}]")
    return found


def check_ingress_class(ingress_class: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = ingress_class.get("spec") or {}
    controller = spec.get("controller") or ""
    if old is not None and (old.get("spec") or {}).get("controller") != controller:
        return [causes.invalid("spec.controller", controller, "field is immutable")]
    if len(controller) > _LONGEST_CONTROLLER:
        return [causes.too_long("spec.controller", _LONGEST_CONTROLLER)]
    domain, slash, path = controller.partition("/")
    if not slash or not path or names.dns_subdomain(domain):
        why = 'must be a domain-prefixed path (such as "acme.io/foo")'
        return [causes.invalid("spec.controller", controller, why)]
    return _check_parameters(spec.get("parameters") or {})


def _check_parameters(parameters: dict[str, Any]) -> list[Cause]:
    has_namespace = bool(parameters.get("namespace"))
    if parameters.get("scope") == "Namespace" and not has_namespace:
        return [causes.required("spec.parameters.namespace", "`parameters.scope` is set to 'Namespace'")]
    if parameters.get("scope") == "Cluster" and has_namespace:
        return [causes.forbidden("spec.parameters.namespace", "`parameters.scope` is set to 'Cluster'")]
    return []


def _check_rule(rule: dict[str, Any], where: str) -> list[Cause]:
    found: list[Cause] = []
    if rule.get("host"):
        found += _check_host(rule["host"], f"{where}.host")
    http = rule.get("http")
    if http is None:
        return found
    if not http.get("paths"):
        found.append(causes.required(f"{where}.http.paths"))
    for index, path in enumerate(http.get("paths") or []):
        found += _check_path(path, f"{where}.http.paths[{index}]")
    return found


def _check_host(host: str, where: str) -> list[Cause]:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _check_name(where, host)
    return [causes.invalid(where, host, "must be a DNS name, not an IP address")]


def _check_name(where: str, host: str) -> list[Cause]:
    """A DNS name, or one with a wildcard in place of its first label."""
    if not host.startswith("*"):
        return names.check(where, host, names.dns_subdomain)
    if re.fullmatch(_WILDCARD, host):
        return []
    return [
        causes.invalid(
            where, host, "a wildcard DNS-1123 subdomain must start with '*.' (e.g. '*.example.com')"
        )
    ]


def _check_path(path: dict[str, Any], where: str) -> list[Cause]:
    text, found = path.get("path") or "", []
    if path.get("pathType") in ("Exact", "Prefix"):
        if not text.startswith("/"):
            found.append(causes.invalid(f"{where}.path", text, "must be an absolute path"))
        else:
            found += [
                causes.invalid(f"{where}.path", text, f"must not contain '{bad}'")
                for bad in _BAD_IN_PATHS
                if bad in text
            ]
            found += [
                causes.invalid(f"{where}.path", text, f"cannot end with '{bad}'")
                for bad in _BAD_ENDINGS
                if text.endswith(bad)
            ]
    elif text and not text.startswith("/"):
        found.append(causes.invalid(f"{where}.path", text, "must be an absolute path"))
    return [*found, *_check_backend(path["backend"], f"{where}.backend")]


def _check_backend(backend: dict[str, Any], where: str) -> list[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service and resource:
        return [causes.invalid(where, "", "cannot set both resource and service backends")]
    if resource:
        return []
    if not service:
        return [causes.invalid(where, "", "resource or service backend is required")]
    found: list[Cause] = []
    if not service.get("name"):
        found.append(causes.required(f"{where}.service.name"))
    else:
        found += names.check(f"{where}.service.name", service["name"], names.dns_label_1035)
    port = service.get("port") or {}
    if port.get("name") and port.get("number"):
        found.append(causes.invalid(where, "", "cannot set both port name & port number"))
    elif port.get("name"):
        found += names.check_port(f"{where}.service.port.name", port["name"])
    elif port.get("number"):
        found += names.check_port(f"{where}.service.port.number", port["number"])
    else:
        found.append(causes.required(where, "port name or number is required"))
    return found
