"""Roles, bindings and admission webhooks."""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema.defaults.filling import fill, objects

_GROUP: Final = "rbac.authorization.k8s.io"


def fill_binding(binding: JsonObject) -> None:
    """Fill a RoleBinding or ClusterRoleBinding."""
    if binding.get("roleRef"):
        fill(binding["roleRef"], apiGroup=_GROUP)
    for subject in objects(binding, "subjects"):
        fill(subject, apiGroup="" if subject.get("kind") == "ServiceAccount" else _GROUP)
        if not subject["apiGroup"]:
            del subject["apiGroup"]


def fill_webhooks(configuration: JsonObject) -> None:
    """Fill a MutatingWebhookConfiguration or ValidatingWebhookConfiguration."""
    for webhook in objects(configuration, "webhooks"):
        fill(
            webhook,
            failurePolicy="Fail",
            matchPolicy="Equivalent",
            timeoutSeconds=10,
            namespaceSelector={},
            objectSelector={},
        )
        if configuration.get("kind") == "MutatingWebhookConfiguration":
            fill(webhook, reinvocationPolicy="Never")
        for rule in objects(webhook, "rules"):
            fill(rule, scope="*")
        service = (webhook.get("clientConfig") or {}).get("service")
        if service:
            fill(service, port=443)
