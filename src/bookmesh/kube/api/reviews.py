"""
Access reviews: what may I do, who am I.

Every authenticated user may do everything here, and that is what the answers say.
"""

from __future__ import annotations

from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import authentication

_REASON: Final = "every authenticated user may do everything: this server has no RBAC"


def access_review(version: str, body: Any) -> JsonObject:
    """Answer a `SelfSubjectAccessReview`."""
    spec = body.get("spec") if isinstance(body, dict) else None
    return {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": f"authorization.k8s.io/{version}",
        "metadata": {},
        "spec": spec or {},
        "status": {"allowed": True, "reason": _REASON},
    }


def rules_review(version: str) -> JsonObject:
    """Answer a `SelfSubjectRulesReview` (`kubectl auth can-i --list`)."""
    return {
        "kind": "SelfSubjectRulesReview",
        "apiVersion": f"authorization.k8s.io/{version}",
        "metadata": {},
        "spec": {},
        "status": {
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": False,
        },
    }


def subject_review(version: str, user: authentication.User) -> JsonObject:
    """Answer a `SelfSubjectReview` (`kubectl auth whoami`)."""
    return {
        "kind": "SelfSubjectReview",
        "apiVersion": f"authentication.k8s.io/{version}",
        "metadata": {},
        "status": {"userInfo": {"username": user.name, "groups": list(user.groups)}},
    }
