"""The roles of every cluster."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import authorization, default_roles, verbs
from bookmesh.kube.api.authentication import User
from bookmesh.kube.api.authorization import Action


def bind(over: verbs.Verbs, role: str) -> None:
    body: JsonObject = {
        "metadata": {"name": "b"},
        "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "User", "name": "ann"}],
    }
    over.create(default_roles.BINDINGS, body)


def may(over: verbs.Verbs, verb: str, resource: str, group: str = "") -> bool:
    action = Action(verb, group, resource, "", "default")
    return authorization.Authorizer(over.store).decide(User("ann", ()), action).is_allowed


def test_making_them_twice_changes_nothing(over: verbs.Verbs) -> None:
    default_roles.ensure(over)
    version = over.store.version
    default_roles.ensure(over)
    assert over.store.version == version


def test_view_edit_and_admin_hold_more_and_more(over: verbs.Verbs) -> None:
    default_roles.ensure(over)
    questions = (
        ("get", "pods", ""),
        ("delete", "pods", ""),
        ("create", "roles", authorization.GROUP),
        ("get", "nodes", ""),
    )
    expected = {
        "view": [True, False, False, False],
        "edit": [True, True, False, False],
        "admin": [True, True, True, False],
        "cluster-admin": [True, True, True, True],
    }
    for role, answers in expected.items():
        bind(over, role)
        assert [may(over, *question) for question in questions] == answers
        over.delete(default_roles.BINDINGS, "b")


def test_a_role_of_ones_own_joins_by_its_label(over: verbs.Verbs) -> None:
    default_roles.ensure(over)
    bind(over, "view")
    assert not may(over, "get", "routes", "example.com")
    labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    rules = [{"verbs": ["get"], "apiGroups": ["example.com"], "resources": ["routes"]}]
    over.create(default_roles.ROLES, {"metadata": {"name": "routes", "labels": labels}, "rules": rules})
    assert may(over, "get", "routes", "example.com")
