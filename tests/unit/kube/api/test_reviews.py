"""Access reviews say what is true here: everybody may do everything."""

from __future__ import annotations

from bookmesh.kube.api import authentication, reviews


def test_access_is_allowed_and_the_question_is_kept() -> None:
    spec = {"resourceAttributes": {"verb": "get", "resource": "pods"}}
    review = reviews.access_review("v1", {"spec": spec})
    assert review["status"]["allowed"]
    assert "no RBAC" in review["status"]["reason"]
    assert review["spec"] == spec
    assert reviews.access_review("v1", None)["spec"] == {}


def test_rules_cover_everything() -> None:
    (rule,) = reviews.rules_review("v1")["status"]["resourceRules"]
    assert rule == {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


def test_subject_is_the_user() -> None:
    user = authentication.User("me", ("us",))
    info = reviews.subject_review("v1", user)["status"]["userInfo"]
    assert info == {"username": "me", "groups": ["us"]}
