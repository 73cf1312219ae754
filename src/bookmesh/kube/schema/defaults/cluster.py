"""Namespaces, nodes, secrets, tokens and definitions of custom resources."""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema.defaults.filling import child, fill, objects

_NAME_LABEL: Final = "kubernetes.io/metadata.name"
_TOKEN_LIFETIME_S: Final = 3600
_HTTPS_PORT: Final = 443


def fill_namespace(namespace: JsonObject) -> None:
    if namespace["metadata"].get("name"):
        child(namespace["metadata"], "labels")[_NAME_LABEL] = namespace["metadata"]["name"]
    fill(child(namespace, "status"), phase="Active")


def fill_limit_range(limit_range: JsonObject) -> None:
    """A container's limit is at most the maximum, and its request its limit or the minimum, if nothing is said."""
    for item in objects(limit_range["spec"], "limits"):
        if item.get("type") != "Container":
            continue
        for target, source in (("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")):
            for name, value in (item.get(source) or {}).items():
                child(item, target).setdefault(name, value)


def fill_node(node: JsonObject) -> None:
    status = node.get("status") or {}
    if status.get("capacity") and not status.get("allocatable"):
        status["allocatable"] = dict(status["capacity"])


def fill_secret(secret: JsonObject) -> None:
    fill(secret, type="Opaque")


def fill_priority_class(priority_class: JsonObject) -> None:
    fill(priority_class, preemptionPolicy="PreemptLowerPriority")


def fill_token_request(request: JsonObject) -> None:
    fill(child(request, "spec"), expirationSeconds=_TOKEN_LIFETIME_S)


def fill_api_service(registered: JsonObject) -> None:
    service = (registered.get("spec") or {}).get("service")
    if service is not None:
        fill(service, port=_HTTPS_PORT)


def fill_definition(definition: JsonObject) -> None:
    spec = definition["spec"]
    names = child(spec, "names")
    if names.get("kind"):
        fill(names, singular=names["kind"].lower(), listKind=f"{names['kind']}List")
    fill(child(spec, "conversion"), strategy="None")
