"""What is wrong with roles and bindings."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.schema.semantics import access

GROUP = "rbac.authorization.k8s.io"
RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
USER = {"kind": "User", "apiGroup": GROUP, "name": "ann"}
BINDING: dict[str, Any] = {
    "kind": "RoleBinding",
    "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": "reader"},
    "subjects": [USER, {"kind": "ServiceAccount", "namespace": "default", "name": "robot"}],
}


def fields(found: list[Any]) -> list[str]:
    return [cause.field for cause in found]


@pytest.mark.parametrize(
    ("kind", "rule", "expected"),
    [
        ("Role", RULE, []),
        ("Role", {**RULE, "verbs": []}, ["rules[0].verbs"]),
        ("Role", {"verbs": ["get"]}, ["rules[0].apiGroups", "rules[0].resources"]),
        ("Role", {"verbs": ["get"], "nonResourceURLs": ["/x"]}, ["rules[0].nonResourceURLs"]),
        ("ClusterRole", {"verbs": ["get"], "nonResourceURLs": ["/x"]}, []),
        ("ClusterRole", {**RULE, "nonResourceURLs": ["/x"]}, ["rules[0].nonResourceURLs"]),
    ],
)
def test_rules(kind: str, rule: dict[str, Any], expected: list[str]) -> None:
    assert fields(access.check_role({"kind": kind, "rules": [rule]}, None)) == expected


def test_a_good_binding() -> None:
    assert access.check_binding(BINDING, None) == []
    assert access.check_binding(BINDING, BINDING) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"kind": "ClusterRoleBinding"}, ["roleRef.kind"]),
        ({"roleRef": {"apiGroup": "x", "kind": "Role"}}, ["roleRef.apiGroup", "roleRef.name"]),
        ({"subjects": [{**USER, "kind": "Robot"}]}, ["subjects[0].kind"]),
        ({"subjects": [{"kind": "User", "name": ""}]}, ["subjects[0].name", "subjects[0].apiGroup"]),
        (
            {"subjects": [{"kind": "ServiceAccount", "apiGroup": GROUP, "name": "x"}]},
            ["subjects[0].apiGroup"],
        ),
    ],
)
def test_bindings(change: dict[str, Any], expected: list[str]) -> None:
    assert fields(access.check_binding({**BINDING, **change}, None)) == expected


@pytest.mark.parametrize(
    ("kind", "expected"), [("RoleBinding", []), ("ClusterRoleBinding", ["subjects[0].namespace"])]
)
def test_only_a_cluster_wide_binding_must_say_where_an_account_is(kind: str, expected: list[str]) -> None:
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": "reader"}
    binding = {"kind": kind, "roleRef": reference, "subjects": [{"kind": "ServiceAccount", "name": "x"}]}
    assert fields(access.check_binding(binding, None)) == expected


def test_the_role_of_a_binding_stays() -> None:
    changed = {**BINDING, "roleRef": {**BINDING["roleRef"], "name": "writer"}}
    (cause,) = access.check_binding(changed, BINDING)
    assert (cause.field, cause.message.endswith("cannot change roleRef")) == ("roleRef", True)
