"""
BM0207: two VirtualServices for the same host in sidecars, of which only one counts: as a rule the older one.

On a gateway the routes of several VirtualServices for one host are joined, so there it is no conflict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bookmesh.base.findings import Finding
from bookmesh.mesh.snapshot import routing
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot, rules: Iterable[routing.Routing]) -> Iterator[Finding]:
    """What is wrong with `rules` of the snapshot, whichever others they are in conflict with."""
    found: dict[str, list[_Conflict]] = {}
    for rule in rules:
        for host in rule.hosts:
            if host not in found:
                found[host] = list(_conflicts_on(host, snapshot))
            for conflict in found[host]:
                if conflict.loser is rule:
                    yield _finding(conflict, host)


class _Conflict(NamedTuple):
    loser: routing.Routing
    winner: routing.Routing
    namespace: str


def _conflicts_on(host: str, snapshot: snapshots.MeshSnapshot) -> Iterator[_Conflict]:
    owners: list[routing.Routing] = []
    for rule in snapshot.index.naming(host):
        if routing.MESH not in rule.gateways:
            continue
        for older in owners:
            meeting = _meeting(older, rule)
            if meeting is not None:
                is_first = older.rank_in(meeting) <= rule.rank_in(meeting)
                loser, winner = (rule, older) if is_first else (older, rule)
                yield _Conflict(loser, winner, meeting)
                break
        owners.append(rule)


def _meeting(one: routing.Routing, other: routing.Routing) -> str | None:
    """A namespace that sees both; None when there is none."""
    for namespace in (other.ref.namespace, one.ref.namespace):
        if one.is_visible_in(namespace) and other.is_visible_in(namespace):
            return namespace
    return None


def _finding(conflict: _Conflict, host: str) -> Finding:
    rule, winner, namespace = conflict
    is_older = rule.rank_in(namespace) == winner.rank_in(namespace)
    why = "is older" if is_older else f"comes first in {namespace}, since not everybody sees it,"
    return Finding(
        code="BM0207",
        message=f"{rule.ref} has no effect on {host} in sidecars: {winner.ref} {why} and has the same host",
        subject=rule.ref,
        where=f"spec.hosts[{rule.hosts.index(host)}]",
        known=str(winner.ref),
        hint="put the routes into one VirtualService, or give them different hosts",
        severity="warning",
    )
