"""Keeps the account of who owns which field (`metadata.managedFields`) with every write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.schema import schemas as schemas_module
from bookmesh.kube.schema.ownership import managers, typed


def entries_of(obj: JsonObject) -> managers.Entries:
    """The account of a stored object; none when there is none that can be read."""
    try:
        return managers.parse(obj["metadata"].get("managedFields"))
    except managers.MalformedError:
        return ()


def entries_before(requested: Any, old: JsonObject, *, is_subresource: bool) -> managers.Entries:
    """
    The account that a write starts from: a client may change or forget it, but not by leaving it out.

    `requested` is what the client sent as `managedFields`.
    """
    if not is_subresource and requested is not None:
        if managers.is_reset(requested):
            return ()
        try:
            found = managers.parse(requested)
        except managers.MalformedError:
            found = ()
        if found:
            return found
    return entries_of(old)


def entries_after(
    known: schemas_module.Schemas,
    kind: kinds_module.Kind,
    entries: managers.Entries,
    objects: tuple[JsonObject, JsonObject],
    *,
    writer: managers.Writer,
    now: str,
) -> managers.Entries:
    """
    The account after a write that turned the first object ({} for none) into the second.

    Where elements of a list cannot be told apart no account can be kept; then it stays as it was, as on a real server.
    """
    old, new = objects
    if old and not entries:
        return ()  # nobody kept account so far: the first apply begins
    root = known.root(kind.group, kind.version, kind.kind)
    try:
        return managers.updated(entries, root, old, new, writer=writer, now=now)
    except typed.ElementError:
        return entries


def record(obj: JsonObject, entries: managers.Entries, *, old: JsonObject | None = None) -> None:
    """
    Write the account into an object in place; what has not changed stays as it is in `old`.

    Of an object that is as it was, a time alone is no change: who applies a part without its defaults each minute would
    otherwise be told of a change each minute.
    """
    fields = obj["metadata"]
    if (
        old is not None
        and entries
        and _is_same(entries, entries_of(old), is_changed=without(obj) != without(old))
    ):
        fields["managedFields"] = old["metadata"]["managedFields"]
    elif entries:
        fields["managedFields"] = managers.format_entries(entries)
    else:
        fields.pop("managedFields", None)


def _is_same(entries: managers.Entries, before: managers.Entries, *, is_changed: bool) -> bool:
    if is_changed or entries == before:
        return entries == before
    return [replace(each, time="") for each in entries] == [replace(each, time="") for each in before]


def without(obj: JsonObject) -> JsonObject:
    """The object without its account; the rest is shared."""
    fields = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": fields}
