"""Roles and their bindings."""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes
from bookmesh.kube.schema.causes import Cause

_GROUP: Final = "rbac.authorization.k8s.io"
_SUBJECTS: Final = ("Group", "ServiceAccount", "User")


def check_role(role: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check a Role or ClusterRole: each rule allows verbs on resources or on paths."""
    found: list[Cause] = []
    is_cluster_wide = role.get("kind") == "ClusterRole"
    for index, rule in enumerate(role.get("rules") or []):
        where = f"rules[{index}]"
        if not rule.get("verbs"):
            found.append(causes.required(f"{where}.verbs", "verbs must contain at least one value"))
        if rule.get("nonResourceURLs"):
            if not is_cluster_wide:
                why = "namespaced rules cannot apply to non-resource URLs"
                found.append(causes.invalid(f"{where}.nonResourceURLs", rule["nonResourceURLs"], why))
            if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                why = "rules cannot apply to both regular resources and non-resource URLs"
                found.append(causes.invalid(f"{where}.nonResourceURLs", rule["nonResourceURLs"], why))
            continue
        if not rule.get("apiGroups"):
            why = "resource rules must supply at least one api group"
            found.append(causes.required(f"{where}.apiGroups", why))
        if not rule.get("resources"):
            why = "resource rules must supply at least one resource"
            found.append(causes.required(f"{where}.resources", why))
    return found


def check_binding(binding: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check a RoleBinding or ClusterRoleBinding: whom it gives which role; the role cannot be changed."""
    reference = binding.get("roleRef") or {}
    found: list[Cause] = []
    if reference.get("apiGroup") != _GROUP:
        found.append(causes.not_supported("roleRef.apiGroup", reference.get("apiGroup", ""), [_GROUP]))
    kinds = ["ClusterRole"] if binding.get("kind") == "ClusterRoleBinding" else ["ClusterRole", "Role"]
    if reference.get("kind") not in kinds:
        found.append(causes.not_supported("roleRef.kind", reference.get("kind", ""), kinds))
    if not reference.get("name"):
        found.append(causes.required("roleRef.name"))
    for index, subject in enumerate(binding.get("subjects") or []):
        found += _check_subject(
            f"subjects[{index}]", subject, is_namespaced=binding.get("kind") == "RoleBinding"
        )
    if old is not None and old.get("roleRef") != reference:
        found.append(causes.invalid("roleRef", reference, "cannot change roleRef"))
    return found


def _check_subject(where: str, subject: JsonObject, *, is_namespaced: bool) -> list[Cause]:
    """A service account without namespace is one of the binding's own."""
    kind = subject.get("kind", "")
    if kind not in _SUBJECTS:
        return [causes.not_supported(f"{where}.kind", kind, _SUBJECTS)]
    found = [] if subject.get("name") else [causes.required(f"{where}.name")]
    if kind == "ServiceAccount":
        if subject.get("apiGroup"):
            found.append(causes.not_supported(f"{where}.apiGroup", subject["apiGroup"], [""]))
        if not subject.get("namespace") and not is_namespaced:
            found.append(causes.required(f"{where}.namespace"))
    elif subject.get("apiGroup") != _GROUP:
        found.append(causes.not_supported(f"{where}.apiGroup", subject.get("apiGroup", ""), [_GROUP]))
    return found
