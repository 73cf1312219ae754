"""Which fields of a parsed object this mesh does not act on: found by the marks in the structures."""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from bookmesh.mesh.model import base


def fields_not_acted_on(model: base.Model, path: str) -> Iterator[str]:
    """Yield the dotted paths of fields that are set and marked `NOT_ACTED_ON`, in the order of declaration."""
    for name, encoded_name, acted_on in _fields(type(model)):
        if not base.is_set(model, name):
            continue
        here = f"{path}.{encoded_name}"
        if acted_on:
            yield from _inside(getattr(model, name), here)
        else:
            yield here


def _inside(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, base.Model):
        yield from fields_not_acted_on(value, path)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _inside(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _inside(item, f"{path}.{key}")


@functools.cache
def _fields(model: type[base.Model]) -> tuple[tuple[str, str, bool], ...]:
    """List (attribute, name in YAML, acted on) of one structure."""
    return tuple((f.name, f.encode_name, _is_acted_on(f.type)) for f in msgspec.structs.fields(model))


def _is_acted_on(annotation: Any) -> bool:
    """Read the annotation itself: asking msgspec for the whole type tree takes half a second."""
    marks = annotation.__metadata__ if typing.get_origin(annotation) is typing.Annotated else ()
    return not any(
        isinstance(mark, msgspec.Meta) and (mark.extra or {}).get("acted_on") is False for mark in marks
    )
