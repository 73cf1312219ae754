"""What differs between two snapshots, where that is little: what else was made from the first holds for the second."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from bookmesh.mesh.snapshot.routing import Routing
    from bookmesh.mesh.snapshot.snapshot import MeshSnapshot

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Changes:
    """
    All that differs: `hosts` with other endpoints, or other pods behind them, and `routings`, the VirtualServices as
    they were and as they are.
    """

    hosts: frozenset[str] = frozenset()
    routings: tuple[Routing, ...] = ()


@dataclass(frozen=True, slots=True)
class Since:
    """What differs from a previous snapshot, which it does not keep alive; None when anything may."""

    previous: weakref.ref[MeshSnapshot]
    changes: Changes | None


def differing(before: Sequence[T], after: Sequence[T]) -> tuple[T, ...]:
    """What only one of the two has, that of `before` first; equal objects count as the same."""
    if before is after:
        return ()
    old, new = set(map(id, before)), set(map(id, after))
    gone = [one for one in before if id(one) not in new]
    come = [one for one in after if id(one) not in old]
    return (*(one for one in gone if one not in come), *(one for one in come if one not in gone))


def differing_keys(before: Mapping[K, T], after: Mapping[K, T]) -> set[K]:
    """The keys under which the two do not have the same object."""
    if before is after:
        return set()
    return {key for key in before.keys() | after.keys() if before.get(key) is not after.get(key)}
