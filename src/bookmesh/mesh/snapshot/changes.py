"""What differs between two snapshots, where that is little: what else was made from the first holds for the second."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bookmesh.mesh.model import parsing

if TYPE_CHECKING:
    from bookmesh.mesh.snapshot.routing import Routing
    from bookmesh.mesh.snapshot.snapshot import MeshSnapshot


@dataclass(frozen=True, slots=True)
class Changes:
    """
    All that differs: `hosts` with other endpoints, or other pods behind them; `services`, the hosts of those that came,
    went or are otherwise; `routings`, the VirtualServices as they were and as they are; `rules`, the DestinationRules
    likewise, and `ruled`, the hosts of services that these may be for.
    """

    hosts: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    routings: tuple[Routing, ...] = ()
    rules: tuple[parsing.Parsed, ...] = ()
    ruled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Since:
    """What differs from a previous snapshot, which it does not keep alive; None when anything may."""

    previous: weakref.ref[MeshSnapshot]
    changes: Changes | None
