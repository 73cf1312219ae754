"""BM0203: a route to a subset that no DestinationRule defines; Envoy answers such requests with 503."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.findings import Finding
from bookmesh.mesh.analysis import destinations, near_misses
from bookmesh.mesh.model import matching
from bookmesh.mesh.snapshot import policies, routing
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    for rule in snapshot.routings:
        for path, destination in destinations.destinations_in(rule.spec):
            service = snapshot.registry.services.get(rule.destination_host(destination))
            if service is None or not destination.subset:
                continue
            policy = snapshot.policy_for(service, rule.ref.namespace)
            if policy.subset(destination.subset) is None:
                yield _finding(rule, path, destination, policy)


def _finding(
    rule: routing.Routing, path: str, destination: matching.Destination, policy: policies.HostPolicy
) -> Finding:
    subset = destination.subset
    names = [known.name for known in policy.subsets]
    known = f"{near_misses.listed(names)}  ({', '.join(map(str, policy.refs))})" if names else ""
    hint = f"add subset {subset}, or route to a known one"
    if not policy.refs:
        hint = f"create a DestinationRule for {destination.host} with a subset {subset}"
    return Finding(
        code="BM0203",
        message=f'{rule.ref} routes to subset "{subset}", which no DestinationRule defines',
        subject=rule.ref,
        where=f"{path}.subset",
        known=known,
        hint=near_misses.did_you_mean(subset, names) + hint,
    )
