"""
BM0207: two VirtualServices for the same host in sidecars, of which only the older one counts.

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
        for index, host in enumerate(rule.hosts):
            older = next((o for o in owners.get(host, []) if _meet(o, rule)), None)
            if older is not None:
                yield _finding(rule, older, host, index)
            owners.setdefault(host, []).append(rule)


def _meet(one: routing.Routing, other: routing.Routing) -> bool:
    """Whether some namespace sees both."""
    return (
        one.ref.namespace == other.ref.namespace
        or one.is_visible_in(other.ref.namespace)
        or other.is_visible_in(one.ref.namespace)
    )


def _finding(rule: routing.Routing, older: routing.Routing, host: str, index: int) -> Finding:
    return Finding(
        code="BM0207",
        message=f"{rule.ref} has no effect on {host} in sidecars: {older.ref} is older and has the same host",
        subject=rule.ref,
        where=f"spec.hosts[{index}]",
        known=str(older.ref),
        hint="put the routes into one VirtualService, or give them different hosts",
        severity="warning",
    )
