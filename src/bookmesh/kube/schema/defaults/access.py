"""Roles, bindings, admission webhooks and policies."""

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


def fill_policy(policy: JsonObject) -> None:
    """Fill a ValidatingAdmissionPolicy or MutatingAdmissionPolicy."""
    spec = policy.get("spec")
    if spec:
        fill(spec, failurePolicy="Fail")
        _fill_matching(spec.get("matchConstraints"))


def fill_policy_binding(binding: JsonObject) -> None:
    """Fill the binding of a policy."""
    _fill_matching((binding.get("spec") or {}).get("matchResources"))


def _fill_matching(matching: JsonObject | None) -> None:
    if matching is None:
        return
    fill(matching, matchPolicy="Equivalent", namespaceSelector={}, objectSelector={})
    for field in ("resourceRules", "excludeResourceRules"):
        for rule in objects(matching, field):
            fill(rule, scope="*")


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
