"""Configurations of admission webhooks: how they are called, and for what."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause
from bookmesh.kube.schema.expressions import expression
from bookmesh.kube.schema.semantics import workloads

VARIABLES: Final = frozenset({"object", "oldObject", "request", "authorizer"})
"""What match conditions can refer to."""
_OPERATIONS: Final = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_CHOICES: Final = {
    "failurePolicy": ("Fail", "Ignore"),
    "matchPolicy": ("Equivalent", "Exact"),
    "reinvocationPolicy": ("IfNeeded", "Never"),
    "sideEffects": ("None", "NoneOnDryRun"),
}
_VERSIONS: Final = ("v1", "v1beta1")
_MOST_CONDITIONS: Final = 64
_URL_FORM: Final = "; desired format: https://host[/path]"


def check_configuration(configuration: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check a MutatingWebhookConfiguration or ValidatingWebhookConfiguration."""
    found: list[Cause] = []
    seen: set[str] = set()
    for index, webhook in enumerate(configuration.get("webhooks") or []):
        where, name = f"webhooks[{index}]", webhook.get("name", "")
        found += _check_name(f"{where}.name", name)
        if name in seen:
            found.append(causes.duplicate(f"{where}.name", name))
        seen.add(name)
        found += _check_webhook(where, webhook)
    return found


def _check_name(where: str, name: str) -> list[Cause]:
    if not name:
        return [causes.required(where)]
    found = names.check(where, name, names.dns_subdomain)
    if not found and name.count(".") < 2:
        why = "should be a domain with at least three segments separated by dots"
        found.append(causes.invalid(where, name, why))
    return found


def _check_webhook(where: str, webhook: JsonObject) -> list[Cause]:
    found: list[Cause] = []
    for field, choices in _CHOICES.items():
        if webhook.get(field) is not None and webhook[field] not in choices:
            found.append(causes.not_supported(f"{where}.{field}", webhook[field], choices))
    timeout = webhook.get("timeoutSeconds", 1)
    if not 1 <= timeout <= 30:
        why = "the timeout value must be between 1 and 30 seconds"
        found.append(causes.invalid(f"{where}.timeoutSeconds", timeout, why))
    versions = webhook.get("admissionReviewVersions") or []
    if not versions:
        why = f"must specify one of {', '.join(_VERSIONS)}"
        found.append(causes.required(f"{where}.admissionReviewVersions", why))
    elif not set(versions) & set(_VERSIONS):
        why = f"must include at least one of {', '.join(_VERSIONS)}"
        found.append(causes.invalid(f"{where}.admissionReviewVersions", versions, why))
    for index, rule in enumerate(webhook.get("rules") or []):
        found += check_rule(f"{where}.rules[{index}]", rule)
    for field in ("namespaceSelector", "objectSelector"):
        found += workloads.check_selector(f"{where}.{field}", webhook.get(field) or {})
    found += _check_client(f"{where}.clientConfig", webhook.get("clientConfig") or {})
    return found + check_conditions(f"{where}.matchConditions", webhook.get("matchConditions") or [])


def check_rule(where: str, rule: JsonObject) -> list[Cause]:
    """Check one rule about operations and resources."""
    found: list[Cause] = []
    for index, operation in enumerate(rule.get("operations") or []):
        if operation not in _OPERATIONS:
            found.append(causes.not_supported(f"{where}.operations[{index}]", operation, _OPERATIONS))
    for field, what in (
        ("operations", "other operations"),
        ("apiGroups", "other API groups"),
        ("apiVersions", "other API versions"),
    ):
        values = rule.get(field) or []
        if not values:
            found.append(causes.required(f"{where}.{field}"))
        elif "*" in values and len(values) > 1:
            found.append(
                causes.invalid(f"{where}.{field}", values, f"if '*' is present, must not specify {what}")
            )
    found += _check_resources(f"{where}.resources", rule.get("resources") or [])
    if rule.get("scope", "*") not in ("*", "Cluster", "Namespaced"):
        found.append(causes.not_supported(f"{where}.scope", rule["scope"], ("*", "Cluster", "Namespaced")))
    return found


def _check_resources(where: str, resources: Sequence[str]) -> list[Cause]:
    if not resources:
        return [causes.required(where)]
    found = [causes.required(f"{where}[{index}]") for index, each in enumerate(resources) if not each]
    if "*/*" in resources and len(resources) > 1:
        why = "if '*/*' is present, must not specify other resources"
        found.append(causes.invalid(where, list(resources), why))
    elif "*" in resources and any("/" not in each and each != "*" for each in resources):
        why = "if '*' is present, must not specify other resources without subresources"
        found.append(causes.invalid(where, list(resources), why))
    return found


def _check_client(where: str, client: JsonObject) -> list[Cause]:
    if (client.get("url") is None) == (client.get("service") is None):
        return [causes.required(where, "exactly one of url or service is required")]
    if client.get("url") is not None:
        return _check_url(f"{where}.url", client["url"])
    service: JsonObject = client["service"]
    found = [
        causes.required(f"{where}.service.{field}", f"service {field} is required")
        for field in ("name", "namespace")
        if not service.get(field)
    ]
    found += names.check_port(f"{where}.service.port", service.get("port", 443))
    path = service.get("path") or "/"
    if not path.startswith("/"):
        found.append(causes.invalid(f"{where}.service.path", path, "must start with a '/'"))
    return found


def _check_url(where: str, text: str) -> list[Cause]:
    try:
        url = urllib.parse.urlsplit(text)
        url.port  # noqa: B018 - reading it checks it
    except ValueError as error:
        return [causes.required(where, f"url must be a valid URL: {error}{_URL_FORM}")]
    found: list[Cause] = []
    if url.scheme != "https":
        found.append(causes.invalid(where, url.scheme, f"'https' is the only allowed URL scheme{_URL_FORM}"))
    if not url.hostname:
        found.append(causes.invalid(where, url.hostname or "", f"host must be specified{_URL_FORM}"))
    for value, what in (
        (url.username, "user information is not permitted in the URL"),
        (url.fragment, "fragments are not permitted in the URL"),
        (url.query, "query parameters are not permitted in the URL"),
    ):
        if value:
            found.append(causes.invalid(where, value, what))
    return found


def check_conditions(
    where: str, conditions: Sequence[dict[str, Any]], variables: frozenset[str] = VARIABLES
) -> list[Cause]:
    """Check match conditions, which may refer to `variables`."""
    found: list[Cause] = []
    if len(conditions) > _MOST_CONDITIONS:
        found.append(causes.too_many(where, len(conditions), _MOST_CONDITIONS))
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        place, name = f"{where}[{index}]", condition.get("name", "")
        if not name:
            found.append(causes.required(f"{place}.name"))
        else:
            found += names.check(f"{place}.name", name, names.qualified_name)
        if name in seen:
            found.append(causes.duplicate(f"{place}.name", name))
        seen.add(name)
        found += check_expression(f"{place}.expression", condition.get("expression"), variables)
    return found


def check_expression(
    where: str, text: str | None, variables: frozenset[str], structures: frozenset[str] = frozenset()
) -> list[Cause]:
    """Check an expression that has to be there."""
    text = (text or "").strip()
    if not text:
        return [causes.required(where)]
    try:
        expression.compile_expression(text, variables, structures)
    except expression.ExpressionError as error:
        return [causes.invalid(where, text, f"compilation failed: {error}")]
    return []
