"""
What lowered expressions call for what the engine cannot do by itself; nobody else can call it.

An optional value is a list of no or one value wherever macros go over it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bookmesh.kube.schema.expressions.engine import OptionalValue


def field_of(owner: Any, key: Any) -> OptionalValue:
    """`owner.?key`, `owner[?key]`: of an optional owner, too."""
    if isinstance(owner, OptionalValue):
        if not owner.has_value():
            return owner
        owner = owner.value()
    if isinstance(owner, list):
        is_there = isinstance(key, int) and 0 <= key < len(owner)
    elif isinstance(owner, dict):
        is_there = key in owner
    else:
        raise TypeError("no such overload")
    return OptionalValue.of(owner[key]) if is_there else OptionalValue.none()


def values_of(optional: OptionalValue) -> list[Any]:
    """No or one value."""
    return [optional.value()] if optional.has_value() else []


def optional_of(values: list[Any]) -> OptionalValue:
    """The opposite of `values_of`."""
    return OptionalValue.of(values[0]) if values else OptionalValue.none()


def first(lists: list[list[Any]]) -> list[Any]:
    """The first of several lists of no or one value; empty when there is none."""
    return lists[0] if lists else []


def pairs_of(value: Any) -> list[list[Any]]:
    """Entries of a map by key, or positions and elements of a list."""
    if isinstance(value, dict):
        return [[key, value[key]] for key in sorted(value, key=lambda key: (str(type(key)), key))]
    return [[index, each] for index, each in enumerate(value)]


def map_of(entries: list[list[Any]]) -> dict[Any, Any]:
    """A map of keys with no or one value each."""
    return {key: values[0] for key, values in entries if values}


def merged(maps: list[dict[Any, Any]]) -> dict[Any, Any]:
    """One map of several; raises ValueError when they have a key in common."""
    found: dict[Any, Any] = {}
    for each in maps:
        for key in each.keys() & found.keys():
            raise ValueError(f"insert failed: key {key} already exists")
        found |= each
    return found


def sorted_by(pairs: list[list[Any]]) -> list[Any]:
    """Elements of pairs of an element and what it is sorted by."""
    return [element for element, _ in sorted(pairs, key=lambda pair: pair[1])]


def length_of(value: Any) -> int:
    """How many elements, entries, characters or bytes; the engine counts the bytes of a text."""
    if not isinstance(value, list | dict | str | bytes):
        raise TypeError("no such overload")
    return len(value)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "bookmesh_field": field_of,
    "bookmesh_values": values_of,
    "bookmesh_optional": optional_of,
    "bookmesh_first": first,
    "bookmesh_pairs": pairs_of,
    "bookmesh_map": map_of,
    "bookmesh_merged": merged,
    "bookmesh_sorted": sorted_by,
    "bookmesh_length": length_of,
}
