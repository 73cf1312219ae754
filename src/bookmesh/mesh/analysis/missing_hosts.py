"""BM0202: a route to a host that no service has; Envoy answers such requests with 503."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bookmesh.base import near_misses
from bookmesh.base.findings import Finding
from bookmesh.mesh.analysis import destinations
from bookmesh.mesh.model import parsing
from bookmesh.mesh.snapshot import snapshot as snapshots

CODE: Final = "BM0202"


def check(route: parsing.Parsed, snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    for place in destinations.places_in(route, snapshot):
        if place.host and place.host not in snapshot.registry.services:
            yield _finding(place, snapshot)


def _finding(place: destinations.Place, snapshot: snapshots.MeshSnapshot) -> Finding:
    written, host = place.destination.host, place.host
    visible = snapshot.services_visible_in(place.namespace)
    is_short = host != written
    known = [s.name for s in visible if s.namespace == place.namespace]
    if not is_short:
        known = [s.hostname for s in visible]
    resolved = f", which means {host}," if is_short else ","
    hint = (
        near_misses.did_you_mean(written, known) + "create the Service or a ServiceEntry, or correct the host"
    )
    return Finding(
        code=CODE,
        message=f'{place.ref} routes to host "{written}"{resolved} but there is no such service',
        subject=place.ref,
        where=f"{place.path}.host",
        known=near_misses.listed(known),
        hint=hint,
    )
