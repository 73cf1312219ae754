"""
Server-side apply: a configuration is merged into an object; fields that its applier no longer mentions go.

A field that somebody else owns and that would get another value is a conflict, unless it is taken by force. Fields
that the applier owned and leaves out are removed when nobody else owns them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import nodes
from bookmesh.kube.schema.ownership import field_sets, managers, merging, typed
from bookmesh.kube.schema.ownership.field_sets import FieldSet

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_KUBECTL: Final = "kubectl"


@dataclass(frozen=True, slots=True)
class Applied:
    """The object after an apply, without its account, and the account."""

    object: JsonObject
    entries: managers.Entries


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field that `owner` has and the applier wants to have another value; `path` as people read it."""

    owner: managers.Entry
    path: str


class ConflictError(Exception):
    """Somebody else owns fields that would change; `conflicts` is sorted by owner and path and never empty."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__(f"{len(conflicts)} conflicts")
        self.conflicts = tuple(conflicts)


def apply(
    node: nodes.Node,
    live: JsonObject,
    configuration: JsonObject,
    *,
    writer: managers.Writer,
    entries: managers.Entries,
    force: bool,
    now: str,
) -> Applied:
    """
    Apply a configuration to an object ({} when there is none yet); neither has `managedFields`.

    Raises:
        ConflictError: without `force`, see there.
        typed.ElementError: an element of a list cannot be told apart from another one.
    """
    if live and not entries:
        before = managers.Writer(managers.BEFORE_FIRST_APPLY, "Update", writer.api_version)
        entries = managers.updated((), node, {}, live, writer=before, now=now)
    others = tuple(each for each in entries if each.writer.identity != writer.identity)
    last = next((each for each in entries if each.writer.identity == writer.identity), None)
    said = typed.fields_of(node, configuration)
    wanted = managers.owned(said)
    merged = merging.merge(node, live, configuration)
    if last is not None:
        everybody = said
        for each in others:
            everybody = field_sets.union(everybody, each.fields)
        merged = _pruned(node, merged, last=last.fields, owned=everybody)
    changes = typed.compare(node, live, merged)
    conflicts = _conflicts(others, changes.written)
    if conflicts and not force:
        conflicts = _serious(node, live, conflicts, writer)
        if conflicts:
            raise ConflictError(conflicts)
    lost = field_sets.union(changes.written, changes.removed)
    kept = [replace(each, fields=field_sets.difference(each.fields, lost)) for each in others]
    is_known = last is not None and last.fields == wanted and changes.is_same
    mine = managers.Entry(writer, wanted, last.time if last is not None and is_known else now)
    return Applied(_annotated(merged, configuration, writer), tuple(e for e in (*kept, mine) if e.fields))


def _pruned(node: nodes.Node, merged: JsonObject, *, last: FieldSet, owned: FieldSet) -> JsonObject:
    """The merged object without what the applier owned, leaves out, and nobody else owns."""
    every = typed.with_named(node, typed.fields_of(node, merged))
    before = typed.with_named(node, last)
    left = _fields_without(node, merged, before)
    kept = field_sets.union(left, typed.with_named(node, owned))
    left = _fields_without(node, merged, field_sets.difference(every, kept))
    # What comes to nothing only because something in it went was not the applier's to remove.
    result: JsonObject = typed.without(
        node, merged, field_sets.intersection(field_sets.difference(every, left), before)
    )
    return result


def _fields_without(node: nodes.Node, value: JsonObject, fields: FieldSet) -> FieldSet:
    rest = typed.without(node, value, fields)
    return {} if rest is typed.MISSING else typed.with_named(node, typed.fields_of(node, rest))


def _conflicts(others: Sequence[managers.Entry], written: FieldSet) -> list[Conflict]:
    found = [
        Conflict(each, path)
        for each in others
        for path in field_sets.paths(field_sets.intersection(each.fields, written))
    ]
    return sorted(found, key=lambda each: (each.owner.writer.identity, each.path))


def _serious(
    node: nodes.Node, live: JsonObject, conflicts: Sequence[Conflict], writer: managers.Writer
) -> list[Conflict]:
    """Leave out what kubectl itself wrote by client-side apply before: moving to server-side apply is no conflict."""
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
    if writer.manager != _KUBECTL or not text:
        return list(conflicts)
    try:
        known = orjson.loads(text)
    except orjson.JSONDecodeError:
        return list(conflicts)
    if not isinstance(known, dict) or known.get("apiVersion") != writer.api_version:
        return list(conflicts)
    changes = typed.compare(node, known, live)
    moved = field_sets.union(changes.written, changes.removed)
    own = set(field_sets.paths(field_sets.difference(typed.fields_of(node, known), moved)))
    return [each for each in conflicts if each.path not in own]


def _annotated(merged: JsonObject, configuration: JsonObject, writer: managers.Writer) -> JsonObject:
    """Keep the annotation of client-side apply in step, where there is one, so that people can go back."""
    annotations = (merged.get("metadata") or {}).get("annotations") or {}
    if writer.manager != _KUBECTL or not annotations.get(LAST_APPLIED):
        return merged
    wanted = configuration.get("metadata") or {}
    own = {key: value for key, value in (wanted.get("annotations") or {}).items() if key != LAST_APPLIED}
    text = orjson.dumps({**configuration, "metadata": {**wanted, "annotations": own}}).decode() + "\n"
    fields = {**merged["metadata"], "annotations": {**annotations, LAST_APPLIED: text}}
    return {**merged, "metadata": fields}
