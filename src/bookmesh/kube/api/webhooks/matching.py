"""Which webhooks want to hear of a request: rules, scope, selectors, and conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.api import admission
from bookmesh.kube.api.webhooks import configurations
from bookmesh.kube.schema.expressions import expression
from bookmesh.kube.schema.semantics import workloads


class ConditionError(Exception):
    """A match condition that could not be evaluated, while none was false."""


def matched_resource(
    webhook: configurations.Webhook, request: admission.AdmissionRequest, equivalents: Sequence[Resource]
) -> Resource | None:
    """
    The resource as which a webhook wants to hear of a request; None when its rules do not ask for it.

    `equivalents` are the other served versions of the request's resource.
    """
    rules = webhook.source.get("rules") or []
    candidates = [request.resource]
    if webhook.source.get("matchPolicy", "Equivalent") == "Equivalent":
        candidates += equivalents
    for resource in candidates:
        if any(_is_covered(rule, request, resource) for rule in rules):
            return resource
    return None


def _is_covered(rule: JsonObject, request: admission.AdmissionRequest, resource: Resource) -> bool:
    return (
        _has(rule, "operations", request.operation)
        and _has(rule, "apiGroups", resource.group)
        and _has(rule, "apiVersions", resource.version)
        and _is_in_scope(rule.get("scope", "*"), request)
        and any(_names(each, resource.plural, request.subresource) for each in rule.get("resources") or [])
    )


def _has(rule: JsonObject, field: str, wanted: str) -> bool:
    values = rule.get(field) or []
    return "*" in values or wanted in values


def _is_in_scope(scope: str, request: admission.AdmissionRequest) -> bool:
    return scope == "*" or (scope == "Namespaced") == bool(request.namespace)


def _names(pattern: str, plural: str, subresource: str) -> bool:
    resource, _, part = pattern.partition("/")
    return resource in ("*", plural) and part in ("*", subresource)


def is_selected(
    webhook: configurations.Webhook,
    request: admission.AdmissionRequest,
    namespace_labels: dict[str, str] | None,
) -> bool:
    """
    Whether the selectors choose the request; `namespace_labels` None stands for an object outside of namespaces.

    The object selector looks at the object as it will be and as it was.
    """
    selector = webhook.source.get("namespaceSelector") or {}
    if namespace_labels is not None and not workloads.selector_matches(selector, namespace_labels):
        return False
    wanted = webhook.source.get("objectSelector") or {}
    if not wanted:
        return True
    return any(
        workloads.selector_matches(wanted, (each.get("metadata") or {}).get("labels") or {})
        for each in (request.object, request.old)
        if each
    )


def meets_conditions(webhook: configurations.Webhook, asked: JsonObject) -> bool:
    """
    Whether every match condition holds; `asked` is the `request` of an AdmissionReview.

    Raises:
        ConditionError: one could not be evaluated, and none is false.
    """
    if not webhook.conditions:
        return True
    variables: dict[str, Any] = {
        "object": asked.get("object"),
        "oldObject": asked.get("oldObject"),
        "request": asked,
    }
    failures: list[str] = []
    for condition in webhook.conditions:
        try:
            if condition.evaluate(variables) is not True:
                return False
        except expression.EvaluationError as error:
            failures.append(f"expression '{condition.text}' resulted in error: {error}")
    if failures:
        raise ConditionError("; ".join(failures))
    return True
