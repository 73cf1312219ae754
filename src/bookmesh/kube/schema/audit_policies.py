"""Audit policies (`audit.k8s.io/v1`): which requests are written down, at which level, and at which stages."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from bookmesh.base.kubernetes import JsonObject

API_VERSION: Final = "audit.k8s.io/v1"
LEVELS: Final = ("None", "Metadata", "Request", "RequestResponse")
"""From nothing to everything."""
STAGES: Final = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
Stage = Literal["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"]

_LISTS: Final = ("users", "userGroups", "verbs", "namespaces", "nonResourceURLs", "omitStages")
_RULE_FIELDS: Final = frozenset({"level", "resources", "omitManagedFields", *_LISTS})
_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "rules", "omitStages", "omitManagedFields"})
_RESOURCE_LISTS: Final = ("resources", "resourceNames")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as rules see it; `path` is "" for one on a resource, `namespace` "" where there is none."""

    user: str
    groups: tuple[str, ...]
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is written of a request: as much as `level` says, at each stage that is not omitted."""

    level: str
    omitted: frozenset[str]
    has_managed_fields: bool

    def includes(self, level: str) -> bool:
        """Whether as much as at `level` is written."""
        return LEVELS.index(self.level) >= LEVELS.index(level)


class Policy:
    """The rules of a policy; the first that is for a request decides."""

    def __init__(self, document: Any) -> None:
        """
        Read a policy.

        Raises:
            ValueError: it is none; says everything that is wrong with it, in an API server's words.
        """
        wrong = list(_check(document))
        if wrong:
            raise ValueError("; ".join(wrong))
        self._rules: list[JsonObject] = document["rules"]
        self._omitted = frozenset(document.get("omitStages") or ())
        self._omits_managed_fields = bool(document.get("omitManagedFields"))

    def treatment_of(self, asked: Asked) -> Treatment:
        """How one request is treated; one that no rule is for is not written at all."""
        for rule in self._rules:
            if _is_for(rule, asked):
                omits = rule.get("omitManagedFields")
                omits = self._omits_managed_fields if omits is None else omits
                return Treatment(rule["level"], self._omitted | {*(rule.get("omitStages") or ())}, not omits)
        return Treatment("None", self._omitted, not self._omits_managed_fields)


def _is_for(rule: JsonObject, asked: Asked) -> bool:
    if rule.get("users") and asked.user not in rule["users"]:
        return False
    if rule.get("userGroups") and not set(asked.groups) & set(rule["userGroups"]):
        return False
    if rule.get("verbs") and asked.verb not in rule["verbs"]:
        return False
    if rule.get("namespaces") or rule.get("resources"):
        return not asked.path and _is_for_resource(rule, asked)
    if rule.get("nonResourceURLs"):
        return any(_is_at(asked.path, wanted) for wanted in rule["nonResourceURLs"])
    return True


def _is_for_resource(rule: JsonObject, asked: Asked) -> bool:
    if rule.get("namespaces") and asked.namespace not in rule["namespaces"]:
        return False
    wanted = rule.get("resources")
    return not wanted or any(_has_resource(each, asked) for each in wanted)


def _has_resource(wanted: JsonObject, asked: Asked) -> bool:
    if wanted.get("group", "") not in (asked.group, "*"):
        return False
    if not wanted.get("resources"):
        return True
    if wanted.get("resourceNames") and asked.name not in wanted["resourceNames"]:
        return False
    part = asked.subresource
    names = {"*", f"{asked.resource}/*", f"{asked.resource}/{part}" if part else asked.resource}
    if part:
        names.add(f"*/{part}")
    return not names.isdisjoint(wanted["resources"])


def _is_at(path: str, wanted: str) -> bool:
    if not path:
        return False
    return wanted in ("*", path) or (wanted.endswith("*") and path.startswith(wanted.rstrip("*")))


def _check(document: Any) -> Iterator[str]:
    if not isinstance(document, dict):
        yield "a policy is a YAML mapping"
        return
    named = (document.get("apiVersion"), document.get("kind"))
    if named != (API_VERSION, "Policy"):
        yield f"apiVersion and kind are not {API_VERSION} and Policy"
        return
    yield from _check_names("", document, _FIELDS)
    yield from _check_stages("omitStages", document.get("omitStages"))
    yield from _check_flag("omitManagedFields", document.get("omitManagedFields"))
    rules = document.get("rules")
    if not isinstance(rules, list) or not rules:
        yield "rules: Required value: a policy without rules writes nothing"
        return
    for index, rule in enumerate(rules):
        where = f"rules[{index}]"
        if isinstance(rule, dict):
            yield from _check_rule(where, rule)
        else:
            yield f"{where}: Invalid value: a rule is a mapping"


def _check_rule(where: str, rule: JsonObject) -> Iterator[str]:
    yield from _check_names(f"{where}.", rule, _RULE_FIELDS)
    level = rule.get("level")
    if not level:
        yield f"{where}.level: Required value"
    elif level not in LEVELS:
        yield f'{where}.level: Unsupported value: "{level}": supported values: {_quoted(LEVELS)}'
    lists = {name: rule.get(name) for name in _LISTS}
    for name, value in lists.items():
        if value is not None and not _is_strings(value):
            yield f"{where}.{name}: Invalid value: must be a list of strings"
            return
    yield from _check_stages(f"{where}.omitStages", rule.get("omitStages"))
    yield from _check_flag(f"{where}.omitManagedFields", rule.get("omitManagedFields"))
    yield from _check_paths(where, rule)
    resources = rule.get("resources")
    if resources is not None and not isinstance(resources, list):
        yield f"{where}.resources: Invalid value: must be a list"
        return
    for index, each in enumerate(resources or []):
        yield from _check_resource(f"{where}.resources[{index}]", each)


def _check_paths(where: str, rule: JsonObject) -> Iterator[str]:
    for index, path in enumerate(rule.get("nonResourceURLs") or []):
        place = f'{where}.nonResourceURLs[{index}]: Invalid value: "{path}"'
        if path != "*" and not path.startswith("/"):
            yield f"{place}: non-resource URL rules must begin with a '/' character"
        if "*" in path[:-1]:
            yield f"{place}: non-resource URL wildcards '*' must be the final character of the rule"
    if rule.get("nonResourceURLs") and (rule.get("resources") or rule.get("namespaces")):
        yield f"{where}.nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs"


def _check_resource(where: str, wanted: Any) -> Iterator[str]:
    if not isinstance(wanted, dict):
        yield f"{where}: Invalid value: must be a mapping with group, resources and resourceNames"
        return
    yield from _check_names(f"{where}.", wanted, {"group", *_RESOURCE_LISTS})
    group = wanted.get("group") or ""
    if not isinstance(group, str) or "/" in group:
        yield f'{where}.group: Invalid value: "{group}": a group has no version'
    for name in _RESOURCE_LISTS:
        if wanted.get(name) is not None and not _is_strings(wanted[name]):
            yield f"{where}.{name}: Invalid value: must be a list of strings"
    if wanted.get("resourceNames") and not wanted.get("resources"):
        yield f"{where}.resourceNames: Invalid value: using resourceNames requires at least one resource"


def _check_names(place: str, given: JsonObject, known: Collection[str]) -> Iterator[str]:
    for name in given:
        if name not in known:
            yield f'unknown field "{place}{name}"'


def _check_flag(where: str, value: Any) -> Iterator[str]:
    if value is not None and not isinstance(value, bool):
        yield f"{where}: Invalid value: must be true or false"


def _check_stages(where: str, stages: Any) -> Iterator[str]:
    if stages is not None and not _is_strings(stages):
        yield f"{where}: Invalid value: must be a list of strings"
        return
    for index, stage in enumerate(stages or []):
        if stage not in STAGES:
            yield f'{where}[{index}]: Invalid value: "{stage}": allowed stages are {",".join(STAGES)}'


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _quoted(values: Collection[str]) -> str:
    return ", ".join(f'"{value}"' for value in values)
