"""
Memory between pushes: what was built from equal input is not built again.

The cache is the one mutable thing in this room. It is handed in, never global, and holds only values that are pure
functions of their keys, so that dropping it changes nothing but time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")


class Cache:
    """
    Values by key, in two generations.

    A push begins with `advance(snapshot_id)`. What two pushes in a row did not ask for is forgotten.
    """

    __slots__ = ("_current", "_previous", "_snapshot_id", "hits", "misses")

    def __init__(self) -> None:
        self._current: dict[Hashable, object] = {}
        self._previous: dict[Hashable, object] = {}
        self._snapshot_id = ""
        self.hits = 0
        self.misses = 0

    def advance(self, snapshot_id: str) -> None:
        """Start the generation of `snapshot_id`; does nothing when it is already the current one."""
        if snapshot_id != self._snapshot_id:
            self._previous, self._current, self._snapshot_id = self._current, {}, snapshot_id

    def get(self, key: Hashable, build: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Give the value of `key`; when no recent push has built it, call `build` with the other arguments."""
        value = self._current.get(key, _ABSENT)
        if value is _ABSENT:
            value = self._previous.get(key, _ABSENT)
            if value is _ABSENT:
                self.misses += 1
                value = build(*args, **kwargs)
            else:
                self.hits += 1
            self._current[key] = value
        else:
            self.hits += 1
        return cast(T, value)


_ABSENT = object()
