"""Admission policies and their bindings: expressions, what they are about, and what follows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause
from bookmesh.kube.schema.expressions import expression
from bookmesh.kube.schema.semantics import admission_webhooks

VARIABLES: Final = frozenset(
    {"object", "oldObject", "request", "params", "namespaceObject", "variables", "authorizer"}
)
"""What expressions can refer to."""
STRUCTURES: Final = frozenset({"Object", "JSONPatch"})
"""What expressions can make, besides lists and maps."""
_IDENTIFIER: Final = re.compile(r"[A-Za-z_]\w*")
_FAILURES: Final = ("Fail", "Ignore")
_MATCHES: Final = ("Equivalent", "Exact")
_REASONS: Final = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")
_ACTIONS: Final = ("Audit", "Deny", "Warn")
_NOT_FOUND: Final = ("Allow", "Deny")
_REINVOCATIONS: Final = ("IfNeeded", "Never")
_PATCHES: Final = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}


def check_validating(policy: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check a ValidatingAdmissionPolicy."""
    spec = policy.get("spec") or {}
    known = _Known(spec)
    found = _check_common(spec, known)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        found.append(causes.required("spec.validations", "validations or auditAnnotations must be specified"))
    for index, each in enumerate(spec.get("validations") or []):
        found += _check_validation(f"spec.validations[{index}]", each, known)
    seen: set[str] = set()
    for index, each in enumerate(spec.get("auditAnnotations") or []):
        where, key = f"spec.auditAnnotations[{index}]", each.get("key") or ""
        found += names.check(f"{where}.key", key, names.qualified_name)
        if key in seen:
            found.append(causes.duplicate(f"{where}.key", key))
        seen.add(key)
        found += known.check(f"{where}.valueExpression", each.get("valueExpression"))
    return found


def check_mutating(policy: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check a MutatingAdmissionPolicy."""
    spec = policy.get("spec") or {}
    known = _Known(spec)
    found = _check_common(spec, known)
    found += _check_choice(
        "spec.reinvocationPolicy", spec.get("reinvocationPolicy"), _REINVOCATIONS, is_needed=True
    )
    if not spec.get("mutations"):
        found.append(causes.required("spec.mutations", "mutations must contain at least one item"))
    for index, each in enumerate(spec.get("mutations") or []):
        where, kind = f"spec.mutations[{index}]", each.get("patchType")
        found += _check_choice(f"{where}.patchType", kind, tuple(_PATCHES), is_needed=True)
        for one, field in _PATCHES.items():
            if one == kind:
                text = (each.get(field) or {}).get("expression")
                found += known.check(f"{where}.{field}.expression", text)
            elif each.get(field):
                found.append(
                    causes.forbidden(f"{where}.{field}", f"{field} must not be set for patchType {kind}")
                )
    return found


def check_binding(binding: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check the binding of either sort of policy."""
    spec = binding.get("spec") or {}
    name = spec.get("policyName") or ""
    found = (
        names.check("spec.policyName", name, names.dns_subdomain)
        if name
        else [causes.required("spec.policyName")]
    )
    if binding.get("kind") == "ValidatingAdmissionPolicyBinding":
        found += _check_actions(spec.get("validationActions") or [])
    if spec.get("matchResources"):
        found += _check_matching("spec.matchResources", spec["matchResources"], is_needed=False)
    reference = spec.get("paramRef")
    if reference:
        where = "spec.paramRef"
        if bool(reference.get("name")) == (reference.get("selector") is not None):
            why = (
                "name and selector are mutually exclusive"
                if reference.get("name")
                else "one of name or selector"
            )
            found.append(causes.required(f"{where}.name", why))
        found += _check_choice(
            f"{where}.parameterNotFoundAction",
            reference.get("parameterNotFoundAction"),
            _NOT_FOUND,
            is_needed=True,
        )
    return found


class _Known:
    """What the expressions of one policy can refer to: variables of the policy that come before them."""

    def __init__(self, spec: JsonObject) -> None:
        self._has_parameters = bool(spec.get("paramKind"))
        self.variables: set[str] = set()

    def check(self, where: str, text: str | None) -> list[Cause]:
        """Check an expression that has to be there."""
        variables = VARIABLES if self._has_parameters else VARIABLES - {"params"}
        found = admission_webhooks.check_expression(where, text, variables, STRUCTURES)
        if found or not text:
            return found
        compiled = expression.compile_expression(text.strip(), variables, STRUCTURES)
        missing = sorted(compiled.fields_of("variables") - self.variables)
        return [
            causes.invalid(where, text, f"compilation failed: ERROR: <input>: undefined field '{name}'")
            for name in missing
        ]


def _check_common(spec: JsonObject, known: _Known) -> list[Cause]:
    """What both sorts of policies have."""
    found = _check_choice("spec.failurePolicy", spec.get("failurePolicy"), _FAILURES, is_needed=False)
    kind = spec.get("paramKind")
    if kind:
        found += [
            causes.required(f"spec.paramKind.{field}")
            for field in ("apiVersion", "kind")
            if not kind.get(field)
        ]
    if spec.get("matchConstraints"):
        found += _check_matching("spec.matchConstraints", spec["matchConstraints"], is_needed=True)
    else:
        found.append(causes.required("spec.matchConstraints"))
    found += admission_webhooks.check_conditions(
        "spec.matchConditions", spec.get("matchConditions") or [], VARIABLES - {"variables"}
    )
    for index, each in enumerate(spec.get("variables") or []):
        where, name = f"spec.variables[{index}]", each.get("name") or ""
        if not name:
            found.append(causes.required(f"{where}.name"))
        elif not _IDENTIFIER.fullmatch(name):
            found.append(causes.invalid(f"{where}.name", name, "name is not a valid CEL identifier"))
        elif name in known.variables:
            found.append(causes.duplicate(f"{where}.name", name))
        found += known.check(f"{where}.expression", each.get("expression"))
        known.variables.add(name)
    return found


def _check_matching(where: str, matching: JsonObject, *, is_needed: bool) -> list[Cause]:
    found = _check_choice(f"{where}.matchPolicy", matching.get("matchPolicy"), _MATCHES, is_needed=False)
    if is_needed and not matching.get("resourceRules"):
        found.append(causes.required(f"{where}.resourceRules"))
    for field in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(matching.get(field) or []):
            found += admission_webhooks.check_rule(f"{where}.{field}[{index}]", rule)
    return found


def _check_validation(where: str, validation: JsonObject, known: _Known) -> list[Cause]:
    found = known.check(f"{where}.expression", validation.get("expression"))
    message, text = validation.get("message"), validation.get("expression") or ""
    if message is not None and not message.strip():
        found.append(causes.invalid(f"{where}.message", message, "message must be non-empty if specified"))
    elif message and "\n" in message.strip():
        found.append(causes.invalid(f"{where}.message", message, "message must not contain line breaks"))
    elif "\n" in text.strip() and not message and not validation.get("messageExpression"):
        found.append(
            causes.required(
                f"{where}.message", "message must be specified if expression contains line breaks"
            )
        )
    if validation.get("messageExpression") is not None:
        found += known.check(f"{where}.messageExpression", validation["messageExpression"])
    found += _check_choice(f"{where}.reason", validation.get("reason"), _REASONS, is_needed=False)
    return found


def _check_actions(actions: Sequence[str]) -> list[Cause]:
    where = "spec.validationActions"
    if not actions:
        return [causes.required(where)]
    found: list[Cause] = []
    for index, each in enumerate(actions):
        found += _check_choice(f"{where}[{index}]", each, _ACTIONS, is_needed=True)
        if each in actions[:index]:
            found.append(causes.duplicate(f"{where}[{index}]", each))
    if "Deny" in actions and "Warn" in actions:
        why = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)"
        )
        found.append(causes.invalid(where, list(actions), why))
    return found


def _check_choice(where: str, value: Any, choices: Sequence[str], *, is_needed: bool) -> list[Cause]:
    if not value:
        return [causes.required(where)] if is_needed else []
    return [] if value in choices else [causes.not_supported(where, value, choices)]
