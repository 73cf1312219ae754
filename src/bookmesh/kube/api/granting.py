"""What somebody may hand on to others: by a role or a binding the rights he has, approvals where he may approve."""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import authentication, authorization
from bookmesh.kube.schema import kinds
from bookmesh.kube.store import records


class Grants:
    """Checks grants; without an authorizer everybody may grant everything. All refusals are 403."""

    def __init__(self, authorizer: authorization.Authorizer | None) -> None:
        self._authorizer = authorizer

    def are_made_by(self, kind: kinds.Kind) -> bool:
        """Whether objects of a kind grant anything, and somebody asks who may."""
        return self._authorizer is not None and kind.group == authorization.GROUP

    def check(
        self, user: authentication.User, kind: kinds.Kind, namespace: str, name: str, body: Any
    ) -> None:
        """
        Nobody gives away, by a role or a binding, what he may not do himself, unless he may bind or escalate.

        `name` is the one on the URL, "" when only the body has it; a body that is no object is somebody else's to
        refuse.
        """
        if self._authorizer is None or not self.are_made_by(kind) or not isinstance(body, dict):
            return
        name = name or str((body.get("metadata") or {}).get("name", ""))
        try:
            self._check_rights(self._authorizer, user, kind, body, namespace=namespace, name=name)
        except ApiError as error:
            message = f'{kind.resource.qualified} "{name}" is forbidden: {error.message}'
            details = {"name": name, "group": kind.group, "kind": kind.plural}
            raise ApiError(403, "Forbidden", message, details=details) from error

    def _check_rights(
        self,
        authorizer: authorization.Authorizer,
        user: authentication.User,
        kind: kinds.Kind,
        body: JsonObject,
        *,
        namespace: str,
        name: str,
    ) -> None:
        if "roleRef" in body:
            self._check_binding(authorizer, user, namespace, body["roleRef"])
        else:
            action = authorization.Action("escalate", kind.group, kind.plural, "", namespace, name)
            if not authorizer.decide(user, action).is_allowed:
                rules = [rule for rule in body.get("rules") or [] if isinstance(rule, dict)]
                authorizer.check_grant(user, rules, namespace)

    def _check_binding(
        self, authorizer: authorization.Authorizer, user: authentication.User, namespace: str, given: Any
    ) -> None:
        reference: JsonObject = given if isinstance(given, dict) else {}
        plural = "clusterroles" if reference.get("kind") == "ClusterRole" else "roles"
        name = str(reference.get("name", ""))
        action = authorization.Action("bind", authorization.GROUP, plural, "", namespace, name)
        if not authorizer.decide(user, action).is_allowed:
            rules = authorizer.rules_of_reference(reference, namespace)
            authorizer.check_grant(user, rules, namespace)

    def check_approver(self, user: authentication.User, stored: records.Stored) -> None:
        """Who approves or denies a request for a certificate must be allowed to, for the signer that is asked."""
        if self._authorizer is None:
            return
        signer = str(stored.object["spec"].get("signerName", ""))
        domain = signer.partition("/")[0]
        group = stored.group_resource.group
        for name in (signer, f"{domain}/*"):
            action = authorization.Action("approve", group, "signers", name=name)
            if self._authorizer.decide(user, action).is_allowed:
                return
        why = f'user not permitted to approve requests with signerName "{signer}"'
        message = f'{stored.group_resource} "{stored.name}" is forbidden: {why}'
        details = {"name": stored.name, "group": group, "kind": stored.group_resource.plural}
        raise ApiError(403, "Forbidden", message, details=details)
