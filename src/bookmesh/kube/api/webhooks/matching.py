"""Which webhooks want to hear of a request: rules, scope, selectors, and conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.api import admission, authorization, consulting
from bookmesh.kube.api.webhooks import configurations
from bookmesh.kube.schema import kinds
from bookmesh.kube.schema.expressions import expression
from bookmesh.kube.schema.semantics import workloads
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

_NAMESPACES: Final = records.GroupResource("", "namespaces")


class ConditionError(Exception):
    """A match condition that could not be evaluated, while none was false."""


def matched_resource(
    rules: Sequence[JsonObject],
    match_policy: str,
    request: admission.AdmissionRequest,
    others: Sequence[Resource],
) -> Resource | None:
    """
    The resource as which a webhook wants to hear of a request; None when its rules do not ask for it.

    `others` are the other served versions of the request's resource.
    """
    candidates = [request.resource]
    if match_policy == "Equivalent":
        candidates += others
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
        and (not rule.get("resourceNames") or request.name in rule["resourceNames"])
    )


def _has(rule: JsonObject, field: str, wanted: str) -> bool:
    values = rule.get(field) or []
    return "*" in values or wanted in values


def _is_in_scope(scope: str, request: admission.AdmissionRequest) -> bool:
    return scope == "*" or (scope == "Namespaced") == bool(request.namespace)


def _names(pattern: str, plural: str, subresource: str) -> bool:
    resource, _, part = pattern.partition("/")
    return resource in ("*", plural) and part in ("*", subresource)


def equivalents(known: kinds.Kinds, resource: Resource) -> Sequence[Resource]:
    """The other served versions of a resource."""
    return [
        kind.resource
        for kind in known.all()
        if (kind.group, kind.plural) == (resource.group, resource.plural) and kind.resource != resource
    ]


def namespace_labels(store: stores.Store, request: admission.AdmissionRequest) -> dict[str, str] | None:
    """
    Labels by which a namespace selector chooses: of the object's namespace, or of the namespace it is.

    None stands for an object outside of namespaces.
    """
    if (request.resource.group, request.resource.plural) == ("", "namespaces"):
        return (request.object.get("metadata") or {}).get("labels") or {}
    if not request.namespace:
        return None
    stored = store.get(_NAMESPACES, "", request.namespace)
    return (stored.object["metadata"].get("labels") or {}) if stored else {}


def is_selected(
    source: JsonObject, request: admission.AdmissionRequest, labels: dict[str, str] | None
) -> bool:
    """
    Whether the selectors of `source` choose the request; `labels` are those of `namespace_labels`.

    The object selector looks at the object as it will be and as it was.
    """
    selector = source.get("namespaceSelector") or {}
    if labels is not None and not workloads.selector_matches(selector, labels):
        return False
    wanted = source.get("objectSelector") or {}
    if not wanted:
        return True
    return any(
        workloads.selector_matches(wanted, (each.get("metadata") or {}).get("labels") or {})
        for each in (request.object, request.old)
        if each
    )


def meets_conditions(
    webhook: configurations.Webhook,
    request: admission.AdmissionRequest,
    asked: JsonObject,
    authorizer: authorization.Authorizer,
) -> bool:
    """
    Whether every match condition holds; `asked` is the `request` of an AdmissionReview about the request.

    Raises:
        ConditionError: one could not be evaluated, and none is false.
    """
    if not webhook.conditions:
        return True
    variables: dict[str, Any] = {
        "object": asked.get("object"),
        "oldObject": asked.get("oldObject"),
        "request": asked,
        "authorizer": consulting.variable_for(request),
    }
    functions = consulting.functions_for(authorizer, request)
    failures: list[str] = []
    for condition in webhook.conditions:
        try:
            if condition.evaluate(variables, functions) is not True:
                return False
        except expression.EvaluationError as error:
            failures.append(f"expression '{condition.text}' resulted in error: {error}")
    if failures:
        raise ConditionError("; ".join(failures))
    return True
