"""Access reviews: may I, may somebody else, who am I, whose token is this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import authentication, authorization, statuses

_GROUP = "authorization.k8s.io/v1"


class Reviews:
    """Answers reviews; without an authorizer everybody may do everything, and that is what the answers say."""

    def __init__(
        self,
        authorizer: authorization.Authorizer | None,
        user_for_token: Callable[[str], authentication.User | None],
    ) -> None:
        self._authorizer, self._user_for_token = authorizer, user_for_token

    def self_access(self, body: Any, user: authentication.User) -> JsonObject:
        """Answer a `SelfSubjectAccessReview`."""
        spec = _spec_of(body)
        return self._access("SelfSubjectAccessReview", spec, user)

    def access(self, body: Any, *, namespace: str = "") -> JsonObject:
        """Answer a `SubjectAccessReview`, or with a namespace a `LocalSubjectAccessReview`."""
        spec = _spec_of(body)
        if not spec.get("user") and not spec.get("groups"):
            raise statuses.bad_request("spec.user: at least one of user or group must be specified")
        asked = (spec.get("resourceAttributes") or {}).get("namespace", "")
        if namespace and asked != namespace:
            why = f"must be the namespace of the request, {namespace}"
            raise statuses.bad_request(f"spec.resourceAttributes.namespace: {why}")
        user = authentication.User(spec.get("user") or "", tuple(spec.get("groups") or ()))
        return self._access("LocalSubjectAccessReview" if namespace else "SubjectAccessReview", spec, user)

    def _access(self, kind: str, spec: JsonObject, user: authentication.User) -> JsonObject:
        if self._authorizer is None:
            decision = authorization.Decision(True, "this server does not ask who may do what")
        else:
            decision = self._authorizer.decide(user, action_of(spec))
        status: JsonObject = {"allowed": decision.is_allowed}
        if decision.reason:
            status["reason"] = decision.reason
        return {"kind": kind, "apiVersion": _GROUP, "metadata": {}, "spec": spec, "status": status}

    def rules(self, body: Any, user: authentication.User) -> JsonObject:
        """Answer a `SelfSubjectRulesReview` (`kubectl auth can-i --list`)."""
        spec = _spec_of(body)
        everything = ["*"]
        found: list[JsonObject] = [
            {"verbs": everything, "apiGroups": everything, "resources": everything},
            {"verbs": everything, "nonResourceURLs": everything},
        ]
        if self._authorizer is not None:
            found = self._authorizer.rules_of(user, spec.get("namespace") or "default")
        return {
            "kind": "SelfSubjectRulesReview",
            "apiVersion": _GROUP,
            "metadata": {},
            "spec": spec,
            "status": {
                "resourceRules": [rule for rule in found if not rule.get("nonResourceURLs")],
                "nonResourceRules": [rule for rule in found if rule.get("nonResourceURLs")],
                "incomplete": False,
            },
        }

    def subject(self, user: authentication.User) -> JsonObject:
        """Answer a `SelfSubjectReview` (`kubectl auth whoami`)."""
        return {
            "kind": "SelfSubjectReview",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {},
            "status": {"userInfo": _info(user)},
        }

    def token(self, body: Any) -> JsonObject:
        """Answer a `TokenReview`."""
        spec = _spec_of(body)
        user = self._user_for_token(spec.get("token") or "")
        status: JsonObject = {"authenticated": False, "error": "the token is not one of this server"}
        if user is not None:
            status = {"authenticated": True, "user": _info(user)}
        return {
            "kind": "TokenReview",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {},
            "spec": spec,
            "status": status,
        }


def action_of(spec: JsonObject) -> authorization.Action:
    """What an access review asks about."""
    path = spec.get("nonResourceAttributes")
    if path:
        return authorization.Action(path.get("verb", ""), path=path.get("path", "") or "/")
    wanted = spec.get("resourceAttributes") or {}
    return authorization.Action(
        wanted.get("verb", ""),
        wanted.get("group", ""),
        wanted.get("resource", ""),
        wanted.get("subresource", ""),
        wanted.get("namespace", ""),
        wanted.get("name", ""),
    )


def _spec_of(body: Any) -> JsonObject:
    spec = body.get("spec") if isinstance(body, dict) else None
    return spec if isinstance(spec, dict) else {}


def _info(user: authentication.User) -> JsonObject:
    return {"username": user.name, "groups": list(user.groups)}
