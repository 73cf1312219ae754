"""BM0202: a route to a host that no service has; Envoy answers such requests with 503."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.findings import Finding
from bookmesh.mesh.analysis import destinations, near_misses
from bookmesh.mesh.model import matching
from bookmesh.mesh.snapshot import routing
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    for rule in snapshot.routings:
        for path, destination in destinations.destinations_in(rule.spec):
            host = rule.destination_host(destination)
            if host and host not in snapshot.registry.services:
                yield _finding(rule, path, destination, snapshot)


def _finding(
    rule: routing.Routing,
    path: str,
    destination: matching.Destination,
    snapshot: snapshots.MeshSnapshot,
) -> Finding:
    host = rule.destination_host(destination)
    visible = snapshot.services_visible_in(rule.ref.namespace)
    is_short = host != destination.host
    known = [s.name for s in visible if s.namespace == rule.ref.namespace]
    if not is_short:
        known = [s.hostname for s in visible]
    resolved = f", which means {host}," if is_short else ","
    hint = (
        near_misses.did_you_mean(destination.host, known)
        + "create the Service or a ServiceEntry, or correct the host"
    )
    return Finding(
        code="BM0202",
        message=f'{rule.ref} routes to host "{destination.host}"{resolved} but there is no such service',
        subject=rule.ref,
        where=f"{path}.host",
        known=near_misses.listed(known),
        hint=hint,
    )
