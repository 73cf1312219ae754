"""
All configuration of a mesh, by kind and in merge order. A set that differs little from another shares the rest with it.

What is found out about the objects of one kind is kept as long as none of them changes (`derive`), or kept in step with
those that do (`facts`), so that it does not cost more in a mesh that has more objects.
"""

from __future__ import annotations

import bisect
import functools
import heapq
import weakref
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast, overload

from bookmesh.mesh.model import base, parsing

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)
Fact = Callable[[parsing.Parsed], Iterable[H]]


def merge_order(parsed: parsing.Parsed) -> tuple[str, ...]:
    """Oldest first, then by name and namespace; different for any two objects of one kind."""
    metadata = parsed.metadata
    return metadata.creation_timestamp, metadata.name, metadata.namespace, parsed.ref.kind


@dataclass(frozen=True, slots=True)
class Difference(Generic[T]):
    """What only one of two collections has."""

    gone: tuple[T, ...] = ()
    come: tuple[T, ...] = ()

    def apart(self, belongs: Callable[[T], bool]) -> tuple[Difference[T], Difference[T]]:
        """The part that belongs to something, and the rest."""
        found = [
            Difference(
                tuple(one for one in self.gone if belongs(one) is wanted),
                tuple(one for one in self.come if belongs(one) is wanted),
            )
            for wanted in (True, False)
        ]
        return found[0], found[1]

    def grouped(self, key: Callable[[T], H]) -> dict[H, Difference[T]]:
        """The parts that have a key in common, by that."""
        parts: dict[H, tuple[list[T], list[T]]] = {}
        for side, ones in enumerate((self.gone, self.come)):
            for one in ones:
                parts.setdefault(key(one), ([], []))[side].append(one)
        return {found: Difference(tuple(gone), tuple(come)) for found, (gone, come) in parts.items()}


def spliced(items: tuple[T, ...], difference: Difference[T], *, key: Callable[[T], Any]) -> tuple[T, ...]:
    """Put a difference into what is ordered by `key`."""
    if difference == Difference():
        return items
    found = list(items)
    for one in difference.gone:
        place = bisect.bisect_left(found, key(one), key=key)
        while found[place] != one:
            place += 1
        del found[place]
    for one in difference.come:
        found.insert(bisect.bisect_right(found, key(one), key=key), one)
    return tuple(found)


class _Group:
    """The objects of one kind, in merge order, and what was found out about them."""

    __slots__ = ("_counts", "_derived", "items")

    def __init__(
        self, items: tuple[parsing.Parsed, ...], counts: Mapping[Fact[Any], Counter[Any]] | None = None
    ) -> None:
        self.items = items
        self._counts = dict(counts or {})
        self._derived: dict[Callable[..., object], object] = {}

    def replaced(self, difference: Difference[parsing.Parsed]) -> _Group:
        counts = {}
        for fact, before in self._counts.items():
            come = Counter(told for parsed in difference.come for told in fact(parsed))
            gone = Counter(told for parsed in difference.gone for told in fact(parsed))
            counts[fact] = before + come - gone
        return _Group(spliced(self.items, difference, key=merge_order), counts)

    def derive(self, find: Callable[[tuple[parsing.Parsed, ...]], T]) -> T:
        if find not in self._derived:
            self._derived[find] = find(self.items)
        return cast(T, self._derived[find])

    def facts(self, fact: Fact[H]) -> frozenset[H]:
        if fact not in self._counts:
            self._counts[fact] = Counter(told for parsed in self.items for told in fact(parsed))
        return frozenset(self._counts[fact])


class Configs(Sequence[parsing.Parsed]):
    """
    Parsed objects, also those that could not be parsed; to iterate gives all of them in merge order.

    Make one with `collect`, and the next one from it with `replaced`.
    """

    __slots__ = ("__weakref__", "_difference", "_groups", "_ordered", "_previous")

    def __init__(
        self,
        groups: Mapping[type, _Group],
        *,
        previous: Configs | None = None,
        difference: Difference[parsing.Parsed] | None = None,
    ) -> None:
        self._groups = groups
        self._ordered: tuple[parsing.Parsed, ...] | None = None
        self._previous = weakref.ref(previous) if previous is not None else None
        self._difference = difference

    def of(self, kind: type[base.Model]) -> tuple[parsing.Parsed, ...]:
        """Those of one kind of the model, in merge order; the same tuple as long as none of them changes."""
        return self._group(_root_of(kind)).items

    def made(self, kind: type[base.Model], order: tuple[str, ...]) -> parsing.Parsed:
        """The object of a kind that has this place in the merge order; there must be one."""
        own = self.of(kind)
        return own[bisect.bisect_left(own, order, key=merge_order)]

    def derive(self, kind: type[base.Model], find: Callable[[tuple[parsing.Parsed, ...]], T]) -> T:
        """What `find` makes of all objects of one kind, as long as none of them changes; `find` must be pure."""
        return self._group(_root_of(kind)).derive(find)

    def facts(self, kind: type[base.Model], fact: Fact[H]) -> frozenset[H]:
        """All that `fact` tells of any object of one kind, at the cost of what changes; `fact` must be pure."""
        return self._group(_root_of(kind)).facts(fact)

    def replaced(self, gone: Iterable[parsing.Parsed], come: Iterable[parsing.Parsed]) -> Configs:
        """Take out the very objects that are `gone`, and put in others; this very set when nothing differs."""
        difference = Difference(tuple(gone), tuple(come))
        if difference == Difference():
            return self
        groups = dict(self._groups)
        for kind, own in difference.grouped(kind_of).items():
            groups[kind] = self._group(kind).replaced(own)
        return Configs(groups, previous=self, difference=difference)

    def since(self, before: Configs) -> Difference[parsing.Parsed]:
        """What differs from another set; at the cost of that if this one was made from the other by `replaced`."""
        if before is self:
            return Difference()
        if self._previous is not None and self._previous() is before and self._difference is not None:
            return self._difference
        return _difference(before, self)

    def __iter__(self) -> Iterator[parsing.Parsed]:
        if self._ordered is None:
            parts = (group.items for group in self._groups.values())
            self._ordered = tuple(heapq.merge(*parts, key=merge_order))
        return iter(self._ordered)

    def __len__(self) -> int:
        return sum(len(group.items) for group in self._groups.values())

    @overload
    def __getitem__(self, index: int) -> parsing.Parsed: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[parsing.Parsed, ...]: ...
    def __getitem__(self, index: int | slice) -> parsing.Parsed | tuple[parsing.Parsed, ...]:
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Configs):
            return NotImplemented
        kinds = self._groups.keys() | other._groups.keys()
        return all(self._group(kind).items == other._group(kind).items for kind in kinds)

    __hash__ = None  # type: ignore[assignment]

    def _group(self, kind: type) -> _Group:
        return self._groups.get(kind) or _Group(())


def collect(configs: Iterable[parsing.Parsed], previous: Configs | None = None) -> Configs:
    """Sort objects, in any order, into a set; what is equal in a `previous` one is taken over from it."""
    if isinstance(configs, Configs):
        return configs
    by_kind: dict[type, list[parsing.Parsed]] = {}
    for parsed in configs:
        by_kind.setdefault(kind_of(parsed), []).append(parsed)
    whole = Configs({kind: _Group(tuple(sorted(own, key=merge_order))) for kind, own in by_kind.items()})
    if previous is None:
        return whole
    difference = _difference(previous, whole)
    return previous.replaced(difference.gone, difference.come)


def _difference(before: Configs, after: Configs) -> Difference[parsing.Parsed]:
    """What only one of the two has; equal objects count as the same."""
    kept = frozenset(before) & frozenset(after)
    return Difference(
        tuple(parsed for parsed in before if parsed not in kept),
        tuple(parsed for parsed in after if parsed not in kept),
    )


def kind_of(parsed: parsing.Parsed) -> type:
    """The kind of the model; NoneType for what could not be parsed."""
    kind: Any = type(parsed.spec)
    return cast(type, _root_of(kind))


@functools.cache
def _root_of(kind: type[Any]) -> type[Any]:
    """The structure of the API that `kind` is, or that it extends."""
    return next((root for root in kind.__mro__ if base.Model in root.__bases__), kind)
