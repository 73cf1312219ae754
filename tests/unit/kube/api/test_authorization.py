"""RBAC: which rules cover which actions, whom a binding is about, and what may be given away."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import ApiError, Resource
from bookmesh.kube.api import authorization, default_roles, verbs
from bookmesh.kube.api.authentication import User
from bookmesh.kube.api.authorization import Action

ROLES = Resource(authorization.GROUP, "v1", "roles")
BINDINGS = Resource(authorization.GROUP, "v1", "rolebindings")
ANN = User("ann", ("team", "system:authenticated"))
ROBOT = User("system:serviceaccount:default:robot", ("system:serviceaccounts",))


@pytest.fixture
def authorizer(over: verbs.Verbs) -> authorization.Authorizer:
    return authorization.Authorizer(over.store)


def give(over: verbs.Verbs, subject: dict[str, Any], *rules: dict[str, Any]) -> None:
    """Give rules in namespace default."""
    over.create(ROLES, {"metadata": {"name": "r", "namespace": "default"}, "rules": list(rules)})
    reference = {"kind": "Role", "name": "r"}
    fields = {"name": "b", "namespace": "default"}
    over.create(BINDINGS, {"metadata": fields, "roleRef": reference, "subjects": [subject]})


def rule(*, verbs: str = "get", groups: str = "", resources: str = "pods", **more: Any) -> dict[str, Any]:
    return {
        "verbs": verbs.split(","),
        "apiGroups": groups.split(","),
        "resources": resources.split(","),
        **more,
    }


@pytest.mark.parametrize(
    ("given", "action", "is_allowed"),
    [
        (rule(), Action("get", "", "pods", "", "default", "a"), True),
        (rule(), Action("list", "", "pods", "", "default"), False),
        (rule(), Action("get", "apps", "pods", "", "default"), False),
        (rule(), Action("get", "", "pods", "log", "default"), False),
        (rule(), Action("get", "", "pods", "", "other"), False),
        (rule(), Action("get", "", "pods"), False),
        (rule(verbs="*", groups="*", resources="*"), Action("delete", "x", "y", "z", "default"), True),
        (rule(resources="pods/log"), Action("get", "", "pods", "log", "default"), True),
        (rule(resources="*/scale"), Action("get", "", "anything", "scale", "default"), True),
        (rule(resourceNames=["a"]), Action("get", "", "pods", "", "default", "a"), True),
        (rule(resourceNames=["a"]), Action("get", "", "pods", "", "default", "b"), False),
        (rule(resourceNames=["a"]), Action("get", "", "pods", "", "default"), False),
    ],
)
def test_what_a_rule_covers(
    over: verbs.Verbs,
    authorizer: authorization.Authorizer,
    given: dict[str, Any],
    action: Action,
    is_allowed: bool,
) -> None:
    give(over, {"kind": "User", "name": "ann"}, given)
    assert authorizer.decide(ANN, action).is_allowed is is_allowed


@pytest.mark.parametrize(
    ("subject", "user", "is_allowed"),
    [
        ({"kind": "User", "name": "ann"}, ANN, True),
        ({"kind": "User", "name": "bob"}, ANN, False),
        ({"kind": "Group", "name": "team"}, ANN, True),
        ({"kind": "User", "name": "team"}, ANN, False),
        ({"kind": "ServiceAccount", "name": "robot", "namespace": "default"}, ROBOT, True),
        ({"kind": "ServiceAccount", "name": "robot", "namespace": "other"}, ROBOT, False),
    ],
)
def test_whom_a_binding_is_about(
    over: verbs.Verbs,
    authorizer: authorization.Authorizer,
    subject: dict[str, Any],
    user: User,
    is_allowed: bool,
) -> None:
    give(over, subject, rule())
    decision = authorizer.decide(user, Action("get", "", "pods", "", "default"))
    assert decision.is_allowed is is_allowed
    assert ("RBAC: allowed by RoleBinding" in decision.reason) is is_allowed


def test_masters_may_everything(authorizer: authorization.Authorizer) -> None:
    admin = User("admin", (authorization.MASTERS,))
    assert authorizer.decide(admin, Action("delete", path="/x")).is_allowed
    assert authorizer.rules_of(admin, "default")[0]["verbs"] == ["*"]


def test_paths(over: verbs.Verbs, authorizer: authorization.Authorizer) -> None:
    default_roles.ensure(over)
    for path, is_allowed in (("/apis/apps/v1", True), ("/version", True), ("/metrics", False)):
        assert authorizer.decide(ANN, Action("get", path=path)).is_allowed is is_allowed
    nobody = User("system:anonymous", ("system:unauthenticated",))
    assert authorizer.decide(nobody, Action("get", path="/livez")).is_allowed
    assert not authorizer.decide(nobody, Action("get", path="/apis")).is_allowed


def test_a_refusal_names_user_verb_resource_and_place() -> None:
    named = authorization.forbidden(ANN, Action("get", "apps", "deployments", "scale", "default", "web"))
    assert named.message == (
        'deployments.apps "web" is forbidden: User "ann" cannot get resource "deployments/scale" '
        'in API group "apps" in the namespace "default"'
    )
    everywhere = authorization.forbidden(ANN, Action("list", "", "nodes"))
    assert everywhere.message.endswith('cannot list resource "nodes" in API group "" at the cluster scope')
    path = authorization.forbidden(ANN, Action("get", path="/metrics"))
    assert path.message == 'forbidden: User "ann" cannot get path "/metrics"'


def test_only_what_one_has_can_be_given(over: verbs.Verbs, authorizer: authorization.Authorizer) -> None:
    give(over, {"kind": "User", "name": "ann"}, rule(verbs="get,list"))
    authorizer.check_grant(ANN, [rule()], "default")
    for wrong in (rule(verbs="delete"), rule(resources="secrets"), rule(verbs="*")):
        with pytest.raises(ApiError, match="attempting to grant RBAC permissions not currently held"):
            authorizer.check_grant(ANN, [wrong], "default")
    with pytest.raises(ApiError):
        authorizer.check_grant(ANN, [rule()], "")
