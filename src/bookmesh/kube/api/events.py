"""
What watchers are told: one event, encoded once.

Watchers differ in what they see of a change (a selector may turn it into another one) and in the form they see it in
(a version of the kind, a table, the metadata alone). Those that see the same in the same form get the same bytes. The
latest are kept for that, since watchers that follow are told within moments; one that is behind pays for itself.
"""

from __future__ import annotations

import weakref
from typing import Final

import orjson

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import metadata, negotiation, responses, selectors, verbs
from bookmesh.kube.api.tables import printers
from bookmesh.kube.schema import kinds
from bookmesh.kube.store import records

_KEPT_BYTES: Final = 4 << 20
_INITIAL_END: Final = {"k8s.io/initial-events-end": "true"}


class Events:
    """The forms that watchers of a server see events in, and the latest events in them."""

    def __init__(self, clock: metadata.Clock) -> None:
        self.clock = clock
        self._forms: weakref.WeakValueDictionary[object, Form] = weakref.WeakValueDictionary()
        self._encoded: dict[object, bytes] = {}
        self._bytes = 0

    def form(
        self, kind: kinds.Kind, wanted: negotiation.Representation, *, include: str = "Metadata"
    ) -> Form:
        """The form of a watcher, the same one for all that want it; `include` is what rows of a table carry."""
        key = (kind, wanted, include)
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = Form(self, kind, wanted, include)
        return form

    def recall(self, key: object) -> bytes | None:
        """An event that was encoded a moment ago."""
        return self._encoded.get(key)

    def keep(self, key: object, line: bytes) -> None:
        """Remember an event for the next watcher, and forget the oldest ones."""
        self._encoded[key] = line
        self._bytes += len(line)
        while self._bytes > _KEPT_BYTES:
            self._bytes -= len(self._encoded.pop(next(iter(self._encoded))))


class Form:
    """How some watchers see events, as lines of JSON."""

    def __init__(
        self, events: Events, kind: kinds.Kind, wanted: negotiation.Representation, include: str
    ) -> None:
        self._events, self._kind, self._wanted, self._include = events, kind, wanted, include

    def change(self, change: records.Change, seen_as: records.ChangeType, *, is_first: bool = False) -> bytes:
        """Encode a change as what `transition` says it is; the first row of a table comes with its columns."""
        key = (self, change.stored.version, seen_as, is_first, self._moment())
        line = self._events.recall(key)
        if line is None:
            line = self.state(seen_as, _state(change, seen_as), is_first=is_first)
            self._events.keep(key, line)
        return line

    def state(self, seen_as: records.ChangeType, stored: records.Stored, *, is_first: bool = False) -> bytes:
        """Encode one state of an object."""
        if self._wanted.form == "object":
            return _line(seen_as, responses.object_bytes(self._kind, stored))
        obj = verbs.present(self._kind, stored.object)
        if self._wanted.form == "metadata":
            return _line(seen_as, orjson.dumps(printers.partial_metadata(obj, self._wanted.version)))
        table = printers.build_table(
            self._kind,
            [obj],
            metadata={"resourceVersion": obj["metadata"]["resourceVersion"]},
            now=self._events.clock(),
            version=self._wanted.version,
            include=self._include,
            is_first=is_first,
        )
        return _line(seen_as, orjson.dumps(table))

    def bookmark(self, version: int, *, ends_initial: bool = False) -> bytes:
        """Encode a resourceVersion from which the watch could be taken up again."""
        fields: JsonObject = {"resourceVersion": str(version), "creationTimestamp": None}
        if ends_initial:
            fields["annotations"] = _INITIAL_END
        mark: JsonObject = {"kind": self._kind.kind, "apiVersion": self._kind.api_version, "metadata": fields}
        if self._wanted.form == "object":
            return _line("BOOKMARK", orjson.dumps(mark))
        partial = printers.partial_metadata(mark, self._wanted.version)
        if self._wanted.form == "metadata":
            return _line("BOOKMARK", orjson.dumps(partial))
        table = {
            "kind": "Table",
            "apiVersion": f"meta.k8s.io/{self._wanted.version}",
            "metadata": {"resourceVersion": str(version)},
            "columnDefinitions": None,
            "rows": [{"cells": [], "object": partial}] if ends_initial else [],
        }
        return _line("BOOKMARK", orjson.dumps(table))

    def _moment(self) -> int:
        """Rows of a table tell an age in seconds; all else is the same at any time."""
        return int(self._events.clock().timestamp()) if self._wanted.form == "table" else 0


def transition(change: records.Change, matches: selectors.Predicate | None) -> records.ChangeType | None:
    """
    What a change is to those who see only matching objects; None when they see nothing of it.

    An object that begins to match is ADDED to what they see, and one that no longer does DELETED from it.
    """
    if matches is None:
        return change.type
    is_in = matches(change.stored.object)
    was_in = change.previous is not None and matches(change.previous.object)
    if change.type == "DELETED":
        return "DELETED" if is_in or was_in else None
    if is_in:
        return "MODIFIED" if was_in else "ADDED"
    return "DELETED" if was_in else None


def _state(change: records.Change, seen_as: records.ChangeType) -> records.Stored:
    """The state to show; an object that stops matching is shown as it was, with the new resourceVersion."""
    before = change.previous
    if seen_as != "DELETED" or change.type == "DELETED" or before is None:
        return change.stored
    fields = {**before.object["metadata"], "resourceVersion": str(change.stored.version)}
    last = {**before.object, "metadata": fields}
    return records.Stored(
        before.group_resource, before.namespace, before.name, last, orjson.dumps(last), change.stored.version
    )


def error(refusal: ApiError) -> bytes:
    """Encode the event that ends a watch which cannot go on."""
    return _line("ERROR", orjson.dumps(refusal.status()))


def _line(event_type: str, encoded: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (event_type.encode(), encoded)
