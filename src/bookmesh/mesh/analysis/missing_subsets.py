"""BM0203: a route to a subset that no DestinationRule defines; Envoy answers such requests with 503."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base import near_misses
from bookmesh.base.findings import Finding
from bookmesh.mesh.analysis import destinations
from bookmesh.mesh.model import parsing
from bookmesh.mesh.snapshot import policies
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(route: parsing.Parsed, snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    for place in destinations.places_in(route, snapshot):
        service = snapshot.registry.services.get(place.host)
        if service is None or not place.destination.subset:
            continue
        policy = snapshot.policy_for(service, place.namespace)
        if policy.subset(place.destination.subset) is None:
            yield _finding(place, policy)


def _finding(place: destinations.Place, policy: policies.HostPolicy) -> Finding:
    subset = place.destination.subset
    names = [known.name for known in policy.subsets]
    known = f"{near_misses.listed(names)}  ({', '.join(map(str, policy.refs))})" if names else ""
    hint = f"add subset {subset}, or route to a known one"
    if not policy.refs:
        hint = f"create a DestinationRule for {place.destination.host} with a subset {subset}"
    return Finding(
        code="BM0203",
        message=f'{place.ref} routes to subset "{subset}", which no DestinationRule defines',
        subject=place.ref,
        where=f"{place.path}.subset",
        known=known,
        hint=near_misses.did_you_mean(subset, names) + hint,
    )
