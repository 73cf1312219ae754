"""Namespaces, nodes, secrets, tokens and definitions of custom resources."""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema.defaults.filling import child, fill

_NAME_LABEL: Final = "kubernetes.io/metadata.name"
_TOKEN_LIFETIME_S: Final = 3600


def fill_namespace(namespace: JsonObject) -> None:
    if namespace["metadata"].get("name"):
        child(namespace["metadata"], "labels")[_NAME_LABEL] = namespace["metadata"]["name"]
    fill(child(namespace, "status"), phase="Active")


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


def fill_definition(definition: JsonObject) -> None:
    spec = definition["spec"]
    names = child(spec, "names")
    if names.get("kind"):
        fill(names, singular=names["kind"].lower(), listKind=f"{names['kind']}List")
    fill(child(spec, "conversion"), strategy="None")
