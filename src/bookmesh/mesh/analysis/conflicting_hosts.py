"""
BM0207: two VirtualServices for the same host in sidecars, of which only one counts: as a rule the older one.

On a gateway the routes of several VirtualServices for one host are joined, so there it is no conflict.
"""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.findings import Finding
from bookmesh.mesh.snapshot import routing
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    owners: dict[str, list[routing.Routing]] = {}
    for rule in snapshot.routings:
        if routing.MESH not in rule.gateways:
            continue
        for host in rule.hosts:
            for older in owners.get(host, []):
                meeting = _meeting(older, rule)
                if meeting is not None:
                    is_first = older.rank_in(meeting) <= rule.rank_in(meeting)
                    loser, winner = (rule, older) if is_first else (older, rule)
                    yield _finding(loser, winner, host, meeting)
                    break
            owners.setdefault(host, []).append(rule)


def _meeting(one: routing.Routing, other: routing.Routing) -> str | None:
    """A namespace that sees both; None when there is none."""
    for namespace in (other.ref.namespace, one.ref.namespace):
        if one.is_visible_in(namespace) and other.is_visible_in(namespace):
            return namespace
    return None


def _finding(rule: routing.Routing, winner: routing.Routing, host: str, namespace: str) -> Finding:
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
