"""Merging of messages: fields that are set win, lists are appended or replaced, entries of maps are replaced."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import any_pb2

from bookmesh.mesh.wire import known_types, messages

REPLACING: Final = "MERGE_AND_REPLACE_LIST"
MERGES: Final = ("MERGE", REPLACING)
_DURATION: Final = "google.protobuf.Duration"


def merge(target: Any, source: Any, operation: str = "MERGE") -> None:
    """Merge `source` into `target`, which is of the same type."""
    for field, value in source.ListFields():
        if field.is_repeated:
            _merge_many(target, field, value, operation)
        elif field.message_type is None:
            setattr(target, field.name, value)
        elif field.message_type.full_name == _DURATION:
            getattr(target, field.name).CopyFrom(value)
        else:
            inner = getattr(target, field.name)
            inner.SetInParent()
            merge(inner, value, operation)


def _merge_many(target: Any, field: Any, value: Any, operation: str) -> None:
    many = getattr(target, field.name)
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        is_message = entry.fields_by_name["value"].message_type is not None
        for key in value:
            if is_message:
                many[key].CopyFrom(value[key])
            else:
                many[key] = value[key]
        return
    if operation == REPLACING:
        target.ClearField(field.name)
        many = getattr(target, field.name)
    many.extend(value)


def merge_any(target: any_pb2.Any, source: any_pb2.Any) -> None:
    """Merge what two Anys hold; of another type than that of `target` nothing is taken."""
    known = known_types.find_by_url(target.type_url)
    if known is None or target.type_url != source.type_url:
        return
    merged = known.FromString(target.value)
    merge(merged, known.FromString(source.value))
    target.CopyFrom(messages.pack(merged))


def merge_filter(target: Any, source: Any) -> None:
    """Merge a named filter: the name replaces, and the configuration is merged inside its Any."""
    if not target.HasField("typed_config"):
        return
    if source.HasField("typed_config"):
        merge_any(target.typed_config, source.typed_config)
    if source.name:
        target.name = source.name
