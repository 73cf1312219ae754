"""Label and field selectors, parsed into one predicate over objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.schema import names

Predicate = Callable[[JsonObject], bool]
_LabelTest = Callable[[Mapping[str, str]], bool]

_KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_REQUIREMENT = re.compile(r"(?:[^,(]|\([^)]*\))+")
_IN = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^)]*)\)")
_EQUAL = re.compile(rf"({_KEY})\s*(==|=|!=)\s*({_VALUE})")
_COMPARE = re.compile(rf"({_KEY})\s*([<>])\s*(-?\d+)")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")
_FIELD = re.compile(r"([\w.\[\]/-]+?)(!=|==|=)(.*)")

# What may be selected by, as on a real server: everything has these two ...
_COMMON_FIELDS = frozenset({"metadata.name", "metadata.namespace"})
# ... and some kinds have more. A kind that is missing here (every CRD) has the two alone.
_KIND_FIELDS: Mapping[str, frozenset[str]] = {
    "Pod": frozenset(
        {
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        }
    ),
    "Event": frozenset(
        {
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        }
    ),
    "Namespace": frozenset({"status.phase"}),
    "Secret": frozenset({"type"}),
    "Service": frozenset({"spec.clusterIP", "spec.type"}),
    "Node": frozenset({"spec.unschedulable"}),
    "ReplicaSet": frozenset({"status.replicas"}),
    "ReplicationController": frozenset({"status.replicas"}),
    "Job": frozenset({"status.successful"}),
    "CertificateSigningRequest": frozenset({"spec.signerName"}),
}


def parse(
    label_selector: str,
    field_selector: str,
    *,
    kind: str,
    more_fields: tuple[str, ...] = (),
    is_custom: bool = False,
) -> Predicate | None:
    """
    Combine both selectors of a request; "" selects everything. `more_fields` are those that a custom kind names.

    Returns:
        None when nothing was asked for, so that callers can take a short cut.

    Raises:
        ApiError: 400 for a selector that cannot be parsed or a field that cannot be selected by.
    """
    labels = _parse_labels(label_selector) if label_selector.strip() else None
    fields = (
        _parse_fields(field_selector, kind, more_fields, is_custom=is_custom)
        if field_selector.strip()
        else None
    )
    if labels is None or fields is None:
        return labels or fields
    by_label, by_field = labels, fields
    return lambda obj: by_label(obj) and by_field(obj)


def _parse_labels(text: str) -> Predicate:
    tests = [_label_test(part.strip(), text) for part in _REQUIREMENT.findall(text)]

    def matches(obj: JsonObject) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(test(labels) for test in tests)

    return matches


def _label_test(requirement: str, whole: str) -> _LabelTest:
    if found := _IN.fullmatch(requirement):
        key, operator, listed = found.groups()
        _check_key(key)
        values = frozenset(value.strip() for value in listed.split(","))
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.fullmatch(requirement):
        key, operator, value = found.groups()
        _check_key(key)
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _COMPARE.fullmatch(requirement):
        key, operator, bound = found[1], found[2], int(found[3])
        return lambda labels: _compares(labels.get(key), operator, bound)
    if found := _EXISTS.fullmatch(requirement):
        key = found[2]
        _check_key(key)
        if found[1]:
            return lambda labels: key not in labels
        return lambda labels: key in labels
    message = f'unable to parse requirement: "{requirement}" in label selector "{whole}" is not understood'
    raise ApiError(400, "BadRequest", message)


def _check_key(key: str) -> None:
    why = names.qualified_name(key)
    if why:
        message = f'unable to parse requirement: <nil>: Invalid value: "{key}": {why}'
        raise ApiError(400, "BadRequest", message)


def _compares(value: str | None, operator: str, bound: int) -> bool:
    if value is None or not re.fullmatch(r"-?\d+", value):
        return False
    return int(value) > bound if operator == ">" else int(value) < bound


def _parse_fields(text: str, kind: str, more: tuple[str, ...], *, is_custom: bool) -> Predicate:
    allowed = _COMMON_FIELDS | _KIND_FIELDS.get(kind, frozenset()) | set(more)
    terms: list[tuple[str, bool, str]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _FIELD.fullmatch(part)
        if not found:
            raise ApiError(
                400, "BadRequest", f"invalid field selector: {part!r}; expected field=value or field!=value"
            )
        path, operator, value = found.groups()
        if path not in allowed:
            raise ApiError(400, "BadRequest", _unknown_field(path, has_own=is_custom or kind in _KIND_FIELDS))
        terms.append((path, operator != "!=", value))
    return lambda obj: all((field_text(obj, path) == value) is wanted for path, wanted, value in terms)


def _unknown_field(path: str, *, has_own: bool) -> str:
    """`has_own`: the kind has fields of its own that can be selected by, or is a custom one."""
    if has_own:
        return f"field label not supported: {path}"
    return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def field_text(obj: JsonObject, path: str) -> str:
    """The value at a dotted path as a field selector compares it; "" when there is none."""
    value: Any = obj
    if path == "source":
        path = "source.component"
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if value is None:
        return "false" if path in {"spec.hostNetwork", "spec.unschedulable"} else ""
    return str(value).lower() if isinstance(value, bool) else str(value)
