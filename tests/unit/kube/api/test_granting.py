"""Who may hand on what."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.api.test_authorization import ANN, BINDINGS, ROLES, give, rule

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import authorization, granting, verbs

ANN_HERSELF = {"kind": "User", "name": "ann"}
READ_PODS, DELETE_PODS = rule(), rule(verbs="delete")


@pytest.fixture
def grants(over: verbs.Verbs) -> granting.Grants:
    return granting.Grants(authorization.Authorizer(over.store))


def check_role(over: verbs.Verbs, grants: granting.Grants, body: Any) -> None:
    grants.check(ANN, over.kind_of(ROLES), "default", "", body)


def test_one_hands_on_what_one_has_and_no_more(over: verbs.Verbs, grants: granting.Grants) -> None:
    give(over, ANN_HERSELF, READ_PODS)
    check_role(over, grants, {"metadata": {"name": "x"}, "rules": [READ_PODS]})
    with pytest.raises(ApiError) as refusal:
        check_role(over, grants, {"metadata": {"name": "x"}, "rules": [DELETE_PODS]})
    error = refusal.value
    assert (error.code, error.details) == (403, {"name": "x", "group": authorization.GROUP, "kind": "roles"})
    assert error.message == (
        'roles.rbac.authorization.k8s.io "x" is forbidden: user "ann" (groups=["team" "system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}'
    )


def test_who_may_escalate_hands_on_anything(over: verbs.Verbs, grants: granting.Grants) -> None:
    give(over, ANN_HERSELF, rule(verbs="escalate", groups=authorization.GROUP, resources="roles"))
    check_role(over, grants, {"metadata": {"name": "x"}, "rules": [DELETE_PODS]})


def test_a_binding_hands_on_what_its_role_says(over: verbs.Verbs, grants: granting.Grants) -> None:
    fields = {"name": "deleting", "namespace": "default"}
    over.create(ROLES, {"metadata": fields, "rules": [DELETE_PODS]})
    binding = {"roleRef": {"kind": "Role", "name": "deleting"}, "subjects": []}
    with pytest.raises(ApiError) as refusal:
        grants.check(ANN, over.kind_of(BINDINGS), "default", "", binding)
    assert refusal.value.code == 403
    give(over, ANN_HERSELF, rule(verbs="bind", groups=authorization.GROUP, resources="roles"))
    grants.check(ANN, over.kind_of(BINDINGS), "default", "", binding)


def test_nobody_is_asked_about_other_kinds_or_without_an_authorizer(
    over: verbs.Verbs, grants: granting.Grants
) -> None:
    assert not grants.are_made_by(over.kind_of(kubernetes.PODS))
    free = granting.Grants(None)
    assert not free.are_made_by(over.kind_of(ROLES))
    check_role(over, free, {"metadata": {"name": "x"}, "rules": [DELETE_PODS]})
