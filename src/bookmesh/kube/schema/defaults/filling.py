"""How a default is put in: only where a client left the field out, or left it empty as Go clients do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bookmesh.base.kubernetes import JsonObject


def fill(target: JsonObject, **defaults: Any) -> None:
    """Set each field that is absent, null or an empty text. Zero, false and empty lists are values."""
    for key, value in defaults.items():
        if target.get(key) in (None, ""):
            target[key] = value


def objects(owner: JsonObject, field: str) -> Iterator[JsonObject]:
    """Yield the objects in a list field, which may be absent."""
    yield from owner.get(field) or ()


def child(owner: JsonObject, field: str) -> JsonObject:
    """Return the object in a field, putting an empty one there when it is absent."""
    value: JsonObject = owner.setdefault(field, {})
    return value
