"""
The account of who owns which field of an object: entries of `metadata.managedFields`.

Whoever writes a field owns it from then on, and those who owned it before do not, unless they said the same by
server-side apply. An entry is known by manager, operation, subresource, and for updates by the version it used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import nodes
from bookmesh.kube.schema.ownership import field_sets, typed
from bookmesh.kube.schema.ownership.field_sets import FieldSet

Operation = Literal["Apply", "Update"]

BEFORE_FIRST_APPLY: Final = "before-first-apply"
_ANCIENT: Final = "ancient-changes"
_MOST_UPDATERS: Final = 10
_STEPS: Final = frozenset({"f:", "k:", "v:", "i:"})
# What nobody owns: it names the object, or only the server writes it.
_UNOWNED: Final[FieldSet] = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {
        ".": {},
        **{
            f"f:{key}": {}
            for key in (
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "generation",
                "managedFields",
                "resourceVersion",
            )
        },
    },
}


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and how: the identity of an entry."""

    manager: str
    operation: Operation
    api_version: str
    subresource: str = ""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """An applier is the same whatever version it applies."""
        version = "" if self.operation == "Apply" else self.api_version
        return (self.manager, self.operation, version, self.subresource)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one writer owns since `time` (RFC 3339, "" when unknown)."""

    writer: Writer
    fields: FieldSet
    time: str


Entries = tuple[Entry, ...]


class MalformedError(ValueError):
    """The entries are not what `managedFields` may have."""


def parse(managed: Any) -> Entries:
    """
    Read `metadata.managedFields`; nothing gives no entries.

    Raises:
        MalformedError: see there.
    """
    if managed is None:
        return ()
    if not isinstance(managed, list):
        raise MalformedError("managedFields must be a list")
    return tuple(_entry(each, index) for index, each in enumerate(managed))


def _entry(entry: Any, index: int) -> Entry:
    if not isinstance(entry, dict):
        raise MalformedError(f"managed fields entry {index} must be an object")
    operation, version = entry.get("operation"), entry.get("apiVersion")
    if operation not in ("Apply", "Update"):
        raise MalformedError("operation must be `Apply` or `Update`")
    if not isinstance(version, str) or not version:
        raise MalformedError("apiVersion must not be empty")
    if entry.get("fieldsType") != "FieldsV1":
        raise MalformedError(
            f'invalid fieldsType "{entry.get("fieldsType")}" in managed fields entry {index}'
        )
    fields = entry.get("fieldsV1") or {}
    if not _is_field_set(fields):
        raise MalformedError(f"invalid fieldsV1 in managed fields entry {index}")
    writer = Writer(
        str(entry.get("manager") or ""),
        cast(Operation, operation),
        version,
        str(entry.get("subresource") or ""),
    )
    return Entry(writer, fields, str(entry.get("time") or ""))


def _is_field_set(fields: Any) -> bool:
    """Most fields are leaves, and each write reads the account: those are not looked into one by one."""
    if not isinstance(fields, dict):
        return False
    for step, child in fields.items():
        if step[:2] not in _STEPS and step != field_sets.SELF:
            return False
        if child != {} and not _is_field_set(child):
            return False
    return True


def format_entries(entries: Iterable[Entry]) -> list[JsonObject]:
    """Write entries as `metadata.managedFields`: appliers first, then by age."""
    listed = sorted(
        entries,
        key=lambda each: (
            each.writer.operation,
            each.time,
            each.writer.manager,
            each.writer.api_version,
            each.writer.subresource,
        ),
    )
    result: list[JsonObject] = []
    for each in listed:
        entry: JsonObject = {
            "manager": each.writer.manager,
            "operation": each.writer.operation,
            "apiVersion": each.writer.api_version,
        }
        if each.time:
            entry["time"] = each.time
        entry["fieldsType"] = "FieldsV1"
        entry["fieldsV1"] = field_sets.ordered(each.fields)
        if each.writer.subresource:
            entry["subresource"] = each.writer.subresource
        result.append(entry)
    return result


def is_reset(managed: Any) -> bool:
    """Whether a client asks for the account to be forgotten: an empty list, or one empty entry."""
    return isinstance(managed, list) and (not managed or managed == [{}])


def owned(fields: FieldSet) -> FieldSet:
    """The fields without those that nobody owns."""
    return field_sets.difference(fields, _UNOWNED)


def updated(
    entries: Entries, node: nodes.Node, old: JsonObject, new: JsonObject, *, writer: Writer, now: str
) -> Entries:
    """
    The account after `writer` replaced `old` ({} for a new object) by `new`.

    Returns:
        `entries` themselves when nothing that can be owned has changed.
    """
    difference = typed.compare(node, _without_account(old), _without_account(new))
    if difference.is_same:
        return entries
    written = owned(difference.written)
    gone = field_sets.union(difference.written, difference.removed)
    left = [replace(each, fields=field_sets.difference(each.fields, gone)) for each in entries]
    if written:
        previous = next((each for each in left if each.writer.identity == writer.identity), None)
        fields = field_sets.union(previous.fields, written) if previous else written
        left = [each for each in left if each is not previous]
        left.append(Entry(writer, fields, now))
    return _capped([each for each in left if each.fields])


def _capped(entries: Sequence[Entry]) -> Entries:
    """Merge the oldest updates of a version into one entry while there are too many of them."""
    updaters = sorted(
        (each for each in entries if each.writer.operation == "Update"),
        key=lambda each: (each.time, each.writer.identity),
    )
    surplus = len(updaters) - _MOST_UPDATERS
    result = list(entries)
    ancient: dict[str, Entry] = {}
    for each in updaters:
        if surplus <= 0:
            break
        version = each.writer.api_version
        first = ancient.get(version)
        if first is None:
            ancient[version] = each
            continue
        writer = Writer(_ANCIENT, "Update", version)
        merged = Entry(writer, field_sets.union(first.fields, each.fields), each.time)
        result = [other for other in result if other not in (first, each)]
        result.append(merged)
        ancient[version] = merged
        surplus -= 1
    return tuple(result)


def _without_account(obj: JsonObject) -> JsonObject:
    fields = obj.get("metadata")
    if not isinstance(fields, dict) or "managedFields" not in fields:
        return obj
    kept = {key: value for key, value in fields.items() if key != "managedFields"}
    return {**obj, "metadata": kept}
