"""
May this user do that? RBAC over the roles and bindings in the store; members of `system:masters` may do everything.

Rules only allow. A ClusterRole with an aggregation rule has the rules of the ClusterRoles that it selects, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import authentication
from bookmesh.kube.schema.semantics import workloads
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

GROUP: Final = "rbac.authorization.k8s.io"
MASTERS: Final = "system:masters"
_ROLES: Final = records.GroupResource(GROUP, "roles")
_CLUSTER_ROLES: Final = records.GroupResource(GROUP, "clusterroles")
_BINDINGS: Final = records.GroupResource(GROUP, "rolebindings")
_CLUSTER_BINDINGS: Final = records.GroupResource(GROUP, "clusterrolebindings")
_ACCOUNT: Final = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody wants to do: a verb on a resource, or (with `path`) on a path that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        """The resource as rules name it: `pods`, `pods/log`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, and by what."""

    is_allowed: bool
    reason: str = ""


class Authorizer:
    """Reads roles and bindings from the store at every question: they are few, and always current so."""

    def __init__(self, store: stores.Store) -> None:
        self._store = store

    def decide(self, user: authentication.User, action: Action) -> Decision:
        """Decide about one action."""
        if MASTERS in user.groups:
            return Decision(True)
        for rule, reason in self._granted(user, action.namespace):
            if _covers(rule, action):
                return Decision(True, reason)
        return Decision(False)

    def require(self, user: authentication.User, action: Action) -> None:
        """Raise 403, in the words of a real server, when the action is not allowed."""
        if not self.decide(user, action).is_allowed:
            raise forbidden(user, action)

    def rules_of(self, user: authentication.User, namespace: str) -> list[JsonObject]:
        """Every rule that holds for a user in a namespace."""
        if MASTERS in user.groups:
            everything = ["*"]
            return [
                {"verbs": everything, "apiGroups": everything, "resources": everything},
                {"verbs": everything, "nonResourceURLs": everything},
            ]
        return [rule for rule, _ in self._granted(user, namespace)]

    def check_grant(self, user: authentication.User, rules: list[JsonObject], namespace: str) -> None:
        """Raise 403 when `rules` allow more than the user may do in that namespace ("" everywhere)."""
        if MASTERS in user.groups:
            return
        own = [rule for rule, _ in self._granted(user, namespace)]
        missing = [
            each for rule in rules for each in _actions_of(rule, namespace) if not _any_covers(own, each)
        ]
        if missing:
            raise ApiError(
                403,
                "Forbidden",
                f'user "{user.name}" (groups={_listed(user.groups)}) is attempting to grant RBAC permissions not '
                "currently held:\n" + "\n".join(_compact_rules(missing)),
            )

    def rules_of_reference(self, reference: JsonObject, namespace: str) -> list[JsonObject]:
        """The rules of the role that a binding names; none when it is not there."""
        if reference.get("kind") == "ClusterRole":
            stored = self._store.get(_CLUSTER_ROLES, "", reference.get("name", ""))
            return self._cluster_rules(stored.object, set()) if stored else []
        stored = self._store.get(_ROLES, namespace, reference.get("name", ""))
        return list(stored.object.get("rules") or []) if stored else []

    def _granted(self, user: authentication.User, namespace: str) -> Iterator[tuple[JsonObject, str]]:
        bindings = [(stored, "ClusterRoleBinding") for stored in self._store.list(_CLUSTER_BINDINGS)]
        if namespace:
            bindings += [(stored, "RoleBinding") for stored in self._store.list(_BINDINGS, namespace)]
        for stored, kind in bindings:
            binding = stored.object
            subject = next(
                (each for each in binding.get("subjects") or [] if _is_subject(user, each, stored.namespace)),
                None,
            )
            if subject is None:
                continue
            reference = binding["roleRef"]
            place = f'"{stored.namespace}/{stored.name}"' if stored.namespace else f'"{stored.name}"'
            reason = (
                f'RBAC: allowed by {kind} {place} of {reference["kind"]} "{reference["name"]}" '
                f'to {subject["kind"]} "{_shown(subject)}"'
            )
            for rule in self.rules_of_reference(reference, stored.namespace):
                yield rule, reason

    def _cluster_rules(self, role: JsonObject, seen: set[str]) -> list[JsonObject]:
        seen.add(role["metadata"]["name"])
        rules = list(role.get("rules") or [])
        selectors = (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or []
        for stored in self._store.list(_CLUSTER_ROLES) if selectors else ():
            labels = stored.object["metadata"].get("labels") or {}
            is_chosen = any(workloads.selector_matches(selector, labels) for selector in selectors)
            if is_chosen and stored.name not in seen:
                rules += self._cluster_rules(stored.object, seen)
        return rules


def _is_subject(user: authentication.User, subject: JsonObject, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "ServiceAccount":
        return user.name == f"{_ACCOUNT}{subject.get('namespace') or namespace}:{name}"
    return name in user.groups if kind == "Group" else kind == "User" and user.name == name


def _shown(subject: JsonObject) -> str:
    if subject["kind"] == "ServiceAccount":
        return f"{subject['name']}/{subject.get('namespace', '')}"
    name: str = subject["name"]
    return name


def _any_covers(rules: list[JsonObject], action: Action) -> bool:
    return any(_covers(rule, action) for rule in rules)


def _covers(rule: JsonObject, action: Action) -> bool:
    if not _has(rule.get("verbs"), action.verb):
        return False
    if action.path:
        return any(
            pattern in ("*", action.path) or (pattern.endswith("*") and action.path.startswith(pattern[:-1]))
            for pattern in rule.get("nonResourceURLs") or []
        )
    names = rule.get("resourceNames") or []
    return (
        _has(rule.get("apiGroups"), action.group)
        and _has_resource(rule.get("resources") or [], action)
        and (not names or action.name in names)
    )


def _has(values: list[Any] | None, wanted: str) -> bool:
    return values is not None and ("*" in values or wanted in values)


def _has_resource(resources: list[str], action: Action) -> bool:
    if "*" in resources or action.full_resource in resources:
        return True
    return bool(action.subresource) and f"*/{action.subresource}" in resources


def _actions_of(rule: JsonObject, namespace: str) -> Iterator[Action]:
    """Every single action that a rule allows, with its stars as they are."""
    for verb in rule.get("verbs") or []:
        for path in rule.get("nonResourceURLs") or []:
            yield Action(verb, path=path)
        for group in rule.get("apiGroups") or []:
            for resource in rule.get("resources") or []:
                plain, _, part = resource.partition("/")
                for name in rule.get("resourceNames") or [""]:
                    yield Action(verb, group, plain, part, namespace, name)


def _compact_rules(actions: Iterable[Action]) -> list[str]:
    """Actions as rules, one a line, in the words of a real server: those that differ in their verb together."""
    verbs: dict[str, list[str]] = {}
    for each in actions:
        if each.path:
            place = f"NonResourceURLs:{_listed([each.path])}"
        else:
            named = f", ResourceNames:{_listed([each.name])}" if each.name else ""
            place = f"APIGroups:{_listed([each.group])}, Resources:{_listed([each.full_resource])}{named}"
        known = verbs.setdefault(place, [])
        if each.verb not in known:
            known.append(each.verb)
    return sorted(f"{{{place}, Verbs:{_listed(allowed)}}}" for place, allowed in verbs.items())


def _listed(values: Iterable[str]) -> str:
    return "[" + " ".join(f'"{value}"' for value in values) + "]"


def forbidden(user: authentication.User, action: Action) -> ApiError:
    """403 for an action that no rule allows."""
    if action.path:
        return ApiError(
            403,
            "Forbidden",
            f'forbidden: User "{user.name}" cannot {action.verb} path "{action.path}"',
            details={},
        )
    place = f'in the namespace "{action.namespace}"' if action.namespace else "at the cluster scope"
    what = f"{action.resource}.{action.group}" if action.group else action.resource
    if action.name:
        what += f' "{action.name}"'
    message = (
        f'{what} is forbidden: User "{user.name}" cannot {action.verb} resource "{action.full_resource}" '
        f'in API group "{action.group}" {place}'
    )
    details: JsonObject = {"kind": action.resource}
    if action.name:
        details["name"] = action.name
    if action.group:
        details["group"] = action.group
    return ApiError(403, "Forbidden", message, details=details)
