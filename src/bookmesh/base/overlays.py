"""
Mappings that share what they have in common, so that a changed one costs what changes in it, whatever else it has.

    before = {"a": 1, "b": 2}
    after = overlays.changed(before, {"b": 3, "c": 4})
    overlays.differing(before, after)       # {"b", "c"}, without a look at "a"

Nobody may change a mapping that was handed in.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Final, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# An overlay is written out when its changes are more than this, and more than the root of what lies beneath.
_FEW: Final = 16


class Overlay(Mapping[K, V]):
    """A mapping with changes on top; make it with `changed`. What is set anew keeps its place in the order."""

    __slots__ = ("_below", "_changes", "_size")

    def __init__(self, below: dict[K, V], changes: Mapping[K, V | None]) -> None:
        self._below = below
        self._changes = changes
        gone = sum(value is None for key, value in changes.items() if key in below)
        come = sum(value is not None for key, value in changes.items() if key not in below)
        self._size = len(below) + come - gone

    def __getitem__(self, key: K) -> V:
        value = self._changes[key] if key in self._changes else self._below[key]
        if value is None:
            raise KeyError(key)
        return value

    def get(self, key: Any, default: Any = None) -> Any:
        value = self._changes[key] if key in self._changes else self._below.get(key)
        return default if value is None else value

    def __contains__(self, key: object) -> bool:
        return self.get(key) is not None

    def __iter__(self) -> Iterator[K]:
        below, changes = self._below, self._changes
        yield from (key for key in below if key not in changes or changes[key] is not None)
        yield from (key for key, value in changes.items() if value is not None and key not in below)

    def __len__(self) -> int:
        return self._size

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        below, changes = _layers(other)
        if below is self._below:
            return all(self.get(key) == other.get(key) for key in self._changes.keys() | changes.keys())
        return dict(self.items()) == dict(other.items())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Overlay({dict(self.items())!r})"


def changed(mapping: Mapping[K, V], changes: Mapping[K, V | None]) -> Mapping[K, V]:
    """
    Give `mapping` with other values, which are never None: that takes a key out.

    Equal values stay the same objects, and the mapping is itself when nothing differs.
    """
    real = {key: value for key, value in changes.items() if mapping.get(key) != value}
    if not real:
        return mapping
    below, before = _layers(mapping)
    merged = {**before, **real}
    if len(merged) <= max(_FEW, math.isqrt(len(below))):
        return Overlay(below, merged)
    whole = dict(below)
    for key, value in merged.items():
        if value is None:
            whole.pop(key, None)
        else:
            whole[key] = value
    return whole


def differing(before: Mapping[K, V], after: Mapping[K, V]) -> set[K]:
    """The keys under which two mappings do not have the same object."""
    if before is after:
        return set()
    (below, old), (other, new) = _layers(before), _layers(after)
    keys = old.keys() | new.keys() if below is other else before.keys() | after.keys()
    return {key for key in keys if before.get(key) is not after.get(key)}


def _layers(mapping: Mapping[K, V]) -> tuple[dict[K, V], Mapping[K, V | None]]:
    if isinstance(mapping, Overlay):
        return mapping._below, mapping._changes
    return mapping if isinstance(mapping, dict) else dict(mapping), {}
