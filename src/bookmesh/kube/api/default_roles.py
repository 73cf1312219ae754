"""The roles that every cluster has, and who has them from the start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bookmesh.base.kubernetes import ApiError, JsonObject, Resource
from bookmesh.kube.api import authorization, verbs, writing

ROLES: Final = Resource(authorization.GROUP, "v1", "clusterroles")
BINDINGS: Final = Resource(authorization.GROUP, "v1", "clusterrolebindings")
_READ: Final = ["get", "list", "watch"]
_WRITE: Final = ["create", "delete", "deletecollection", "patch", "update"]
_AGGREGATE: Final = "rbac.authorization.k8s.io/aggregate-to-"
_LABELS: Final = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_VIEWED: Final = {
    "": [
        "configmaps",
        "endpoints",
        "events",
        "limitranges",
        "namespaces",
        "persistentvolumeclaims",
        "pods",
        "pods/log",
        "pods/status",
        "resourcequotas",
        "serviceaccounts",
        "services",
        "services/status",
    ],
    "apps": ["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"],
    "autoscaling": ["horizontalpodautoscalers"],
    "batch": ["cronjobs", "jobs"],
    "discovery.k8s.io": ["endpointslices"],
    "metrics.k8s.io": ["nodes", "pods"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
    "policy": ["poddisruptionbudgets"],
}
_EDITED: Final = {
    "": [
        "configmaps",
        "events",
        "persistentvolumeclaims",
        "pods",
        "pods/attach",
        "pods/eviction",
        "pods/exec",
        "pods/portforward",
        "secrets",
        "serviceaccounts",
        "serviceaccounts/token",
        "services",
    ],
    "apps": [
        "daemonsets",
        "deployments",
        "deployments/scale",
        "replicasets",
        "replicasets/scale",
        "statefulsets",
        "statefulsets/scale",
    ],
    "autoscaling": ["horizontalpodautoscalers"],
    "batch": ["cronjobs", "jobs"],
    "coordination.k8s.io": ["leases"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
    "policy": ["poddisruptionbudgets"],
}
_DISCOVERY: Final = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"]
_PUBLIC: Final = ["/healthz", "/livez", "/readyz", "/version", "/version/"]


def ensure(over: verbs.Verbs) -> None:
    """Create what is missing; what an administrator has changed stays."""
    options = writing.WriteOptions(manager="kube-apiserver", is_own=True)
    for resource, bodies in ((ROLES, _roles()), (BINDINGS, _bindings())):
        for body in bodies:
            try:
                over.create(resource, body, options=options)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise


def _roles() -> Iterator[JsonObject]:
    yield _role("cluster-admin", [_rule(["*"], ["*"], ["*"]), {"verbs": ["*"], "nonResourceURLs": ["*"]}])
    yield _role("system:discovery", [{"verbs": ["get"], "nonResourceURLs": [*_DISCOVERY, *_PUBLIC]}])
    yield _role("system:public-info-viewer", [{"verbs": ["get"], "nonResourceURLs": _PUBLIC}])
    own = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]
    yield _role(
        "system:basic-user",
        [
            _rule(["create"], ["authorization.k8s.io"], own),
            _rule(["create"], ["authentication.k8s.io"], ["selfsubjectreviews"]),
        ],
    )
    reviews = ["subjectaccessreviews", "localsubjectaccessreviews"]
    yield _role(
        "system:auth-delegator",
        [
            _rule(["create"], ["authentication.k8s.io"], ["tokenreviews"]),
            _rule(["create"], ["authorization.k8s.io"], reviews),
        ],
    )
    for name, parts in (("view", ("view",)), ("edit", ("edit",)), ("admin", ("admin",))):
        selectors = [{"matchLabels": {f"{_AGGREGATE}{part}": "true"}} for part in parts]
        yield {**_role(name, []), "aggregationRule": {"clusterRoleSelectors": selectors}}
    yield _role(
        "system:aggregate-to-view",
        [_rule(_READ, [group], resources) for group, resources in _VIEWED.items()],
        "view",
        "edit",
        "admin",
    )
    yield _role(
        "system:aggregate-to-edit",
        [
            *(_rule(_WRITE, [group], resources) for group, resources in _EDITED.items()),
            _rule(_READ, [""], ["secrets"]),
            _rule(["get"], [""], ["pods/attach", "pods/exec", "pods/portforward"]),
            _rule(["impersonate"], [""], ["serviceaccounts"]),
        ],
        "edit",
        "admin",
    )
    yield _role(
        "system:aggregate-to-admin",
        [
            _rule([*_READ, *_WRITE], [authorization.GROUP], ["rolebindings", "roles"]),
            _rule(["create"], ["authorization.k8s.io"], ["localsubjectaccessreviews"]),
        ],
        "admin",
    )


def _bindings() -> Iterator[JsonObject]:
    for role, groups in (
        ("cluster-admin", [authorization.MASTERS]),
        ("system:discovery", ["system:authenticated"]),
        ("system:basic-user", ["system:authenticated"]),
        ("system:public-info-viewer", ["system:authenticated", "system:unauthenticated"]),
    ):
        subjects = [{"kind": "Group", "apiGroup": authorization.GROUP, "name": group} for group in groups]
        reference = {"apiGroup": authorization.GROUP, "kind": "ClusterRole", "name": role}
        yield {
            "metadata": {"name": role, "labels": dict(_LABELS)},
            "roleRef": reference,
            "subjects": subjects,
        }


def _role(name: str, rules: list[JsonObject], *aggregates: str) -> JsonObject:
    labels: dict[str, Any] = {**_LABELS, **{f"{_AGGREGATE}{part}": "true" for part in aggregates}}
    return {"metadata": {"name": name, "labels": labels}, "rules": rules}


def _rule(verbs: list[str], groups: list[str], resources: list[str]) -> JsonObject:
    return {"verbs": verbs, "apiGroups": groups, "resources": resources}
