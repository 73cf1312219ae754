"""What a request wants to do, and as whom."""

from __future__ import annotations

import pytest
from tests.unit.kube.api.conftest import request_for

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import acting, authorization, verbs
from bookmesh.kube.api.authentication import User
from bookmesh.kube.api.authorization import Action

PODS = "/api/v1/namespaces/default/pods"


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", PODS, Action("list", "", "pods", "", "default")),
        ("GET", f"{PODS}?watch=true", Action("watch", "", "pods", "", "default")),
        ("DELETE", PODS, Action("deletecollection", "", "pods", "", "default")),
        ("GET", f"{PODS}/a", Action("get", "", "pods", "", "default", "a")),
        ("GET", f"{PODS}/a/log", Action("get", "", "pods", "log", "default", "a")),
        ("GET", f"{PODS}/a/exec?command=ls", Action("create", "", "pods", "exec", "default", "a")),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/x/deployments/web/scale",
            Action("patch", "apps", "deployments", "scale", "x", "web"),
        ),
        ("GET", "/api/v1/namespaces/shop", Action("get", "", "namespaces", "", "shop", "shop")),
        ("POST", "/api/v1/nodes", Action("create", "", "nodes")),
        ("GET", "/apis/apps/v1", Action("get", path="/apis/apps/v1")),
        ("GET", "/lab/v1/status", Action("get", path="/lab/v1/status")),
    ],
)
async def test_actions(method: str, path: str, action: Action) -> None:
    assert acting.action_of(request_for(method, path)) == action


async def test_standing_in_for_somebody(over: verbs.Verbs) -> None:
    authorizer = authorization.Authorizer(over.store)
    admin = User("admin", (authorization.MASTERS,))
    robot = "system:serviceaccount:default:robot"
    as_robot = request_for("GET", PODS, headers={"Impersonate-User": robot})
    assert "system:serviceaccounts:default" in acting.impersonated(as_robot, admin, authorizer).groups
    as_ann = request_for("GET", PODS, headers={"Impersonate-User": "ann", "Impersonate-Group": "team"})
    assert acting.impersonated(as_ann, admin, authorizer) == User("ann", ("team", "system:authenticated"))
    assert acting.impersonated(request_for("GET", PODS), admin, authorizer) is admin
    with pytest.raises(ApiError, match='cannot impersonate resource "users"'):
        acting.impersonated(as_ann, User("bob", ()), authorizer)


async def test_groups_of_nobody_are_a_bad_request(over: verbs.Verbs) -> None:
    request = request_for("GET", "/api/v1/pods", headers={"Impersonate-Group": "dev"})
    with pytest.raises(ApiError) as refusal:
        acting.impersonated(request, User("admin", ()), authorization.Authorizer(over.store))
    assert (refusal.value.code, refusal.value.message) == (
        400,
        'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"dev"}, Extra:map[string][]string(nil)} '
        "without impersonating a user name",
    )
