"""Access reviews say what would happen."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import authorization, default_roles, reviews, verbs
from bookmesh.kube.api.authentication import User

ADMIN = User("admin", (authorization.MASTERS,))
ANN = User("ann", ("system:authenticated",))
GET_PODS = {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}


@pytest.fixture
def answers(over: verbs.Verbs) -> reviews.Reviews:
    default_roles.ensure(over)
    return reviews.Reviews(authorization.Authorizer(over.store), {"good": ANN}.get)


def test_about_oneself(answers: reviews.Reviews) -> None:
    review = answers.self_access({"spec": GET_PODS}, ADMIN)
    assert (review["spec"], review["status"]) == (GET_PODS, {"allowed": True})
    assert answers.self_access({"spec": GET_PODS}, ANN)["status"] == {"allowed": False}
    version = {"nonResourceAttributes": {"verb": "get", "path": "/version"}}
    allowed = answers.self_access({"spec": version}, ANN)["status"]
    assert allowed["allowed"]
    assert 'ClusterRole "system:discovery"' in allowed["reason"]


def test_about_others(answers: reviews.Reviews) -> None:
    spec = {**GET_PODS, "user": "x", "groups": [authorization.MASTERS]}
    assert answers.access({"spec": spec})["status"]["allowed"]
    local = answers.access({"spec": {**GET_PODS, "user": "x"}}, namespace="default")
    assert (local["kind"], local["status"]["allowed"]) == ("LocalSubjectAccessReview", False)
    with pytest.raises(ApiError, match="at least one of user or group"):
        answers.access({"spec": GET_PODS})
    with pytest.raises(ApiError, match="must be the namespace of the request"):
        answers.access({"spec": {**GET_PODS, "user": "x"}}, namespace="other")


def test_rules(answers: reviews.Reviews) -> None:
    status = answers.rules({"spec": {"namespace": "default"}}, ANN)["status"]
    assert {"create"} == {verb for rule in status["resourceRules"] for verb in rule["verbs"]}
    assert "/version" in status["nonResourceRules"][0]["nonResourceURLs"]


def test_without_an_authorizer_everything_is_allowed_and_said_to_be() -> None:
    answers = reviews.Reviews(None, lambda token: None)
    status = answers.self_access(None, ANN)["status"]
    assert (status["allowed"], "does not ask" in status["reason"]) == (True, True)
    assert answers.rules(None, ANN)["status"]["resourceRules"][0]["verbs"] == ["*"]


def test_who_one_is(answers: reviews.Reviews) -> None:
    info = answers.subject(ANN)["status"]["userInfo"]
    assert info == {"username": "ann", "groups": ["system:authenticated"]}


def test_tokens(answers: reviews.Reviews) -> None:
    assert answers.token({"spec": {"token": "good"}})["status"]["user"]["username"] == "ann"
    assert answers.token({"spec": {"token": "bad"}})["status"]["authenticated"] is False
