"""
Memory between pushes: what was built from equal input, and is still in use, is not built again.

The cache is the one mutable thing in this room. It is handed in, never global, and holds only values that are pure
functions of their keys, so that dropping it changes nothing but time.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")


class Cache:
    """Values by key, as long as somebody else holds them: what no proxy has any more is forgotten by itself."""

    __slots__ = ("_notes", "_subject", "_values", "hits", "misses")

    def __init__(self) -> None:
        self._values: weakref.WeakValueDictionary[Hashable, object] = weakref.WeakValueDictionary()
        self._subject: weakref.ref[object] | None = None
        self._notes: dict[Hashable, Any] = {}
        self.hits = 0
        self.misses = 0

    def get(self, key: Hashable, build: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Give the value of `key`; when nobody holds one, call `build` with the other arguments."""
        value = self._values.get(key)
        if value is None:
            self.misses += 1
            value = build(*args, **kwargs)
            self._values[key] = value
        else:
            self.hits += 1
        return cast(T, value)

    def find(self, key: Hashable) -> object | None:
        """The value of `key`, if somebody holds one."""
        return self._values.get(key)

    def put(self, key: Hashable, value: object) -> None:
        """Let `value` be that of `key` from now on, for as long as somebody holds it."""
        self._values[key] = value

    def notes_on(self, subject: object) -> dict[Hashable, Any]:
        """What was found out about one thing, such as a snapshot; forgotten when somebody asks about another one."""
        if self._subject is None or self._subject() is not subject:
            self._subject, self._notes = weakref.ref(subject), {}
        return self._notes
