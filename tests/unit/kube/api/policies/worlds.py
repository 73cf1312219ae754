"""A policy about config maps and what asks for it."""

from __future__ import annotations

from typing import Any

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.api import admission, authentication, verbs

GROUP = "admissionregistration.k8s.io"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
KIND = {"apiVersion": "v1", "kind": "Secret"}


def lay_down(
    over: verbs.Verbs,
    spec: JsonObject,
    *,
    name: str = "few",
    binding: JsonObject | None = None,
    is_mutating: bool = False,
) -> None:
    """Store a policy and its binding."""
    sort = "mutating" if is_mutating else "validating"
    usual = {"reinvocationPolicy": "Never"} if is_mutating else {}
    constraints = {"matchConstraints": {"resourceRules": [RULE]}}
    policy = {"metadata": {"name": name}, "spec": {**constraints, **usual, **spec}}
    over.create(Resource(GROUP, "v1", f"{sort}admissionpolicies"), policy)
    bound = {} if is_mutating else {"validationActions": ["Deny"]}
    bound_spec = {"policyName": name, **bound, **(binding or {})}
    over.create(
        Resource(GROUP, "v1", f"{sort}admissionpolicybindings"),
        {"metadata": {"name": f"{name}-here"}, "spec": bound_spec},
    )


def request(**changed: Any) -> admission.AdmissionRequest:
    """The creation of a config map."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"size": "7"}}
    values: dict[str, Any] = {
        "operation": "CREATE",
        "resource": kubernetes.CONFIG_MAPS,
        "namespace": "default",
        "name": "a",
        "object": body,
        "kind": "ConfigMap",
        "user": authentication.User("ann", ("system:authenticated",)),
        **changed,
    }
    return admission.AdmissionRequest(**values)
