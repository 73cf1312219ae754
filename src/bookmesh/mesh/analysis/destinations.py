"""Every place in a VirtualService that names a destination."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import matching, parsing, virtual_services
from bookmesh.mesh.snapshot import hosts
from bookmesh.mesh.snapshot import snapshot as snapshots


class Place(NamedTuple):
    """One place that names a destination: the object, its namespace, the field path, what is written and meant."""

    ref: ObjectRef
    namespace: str
    path: str
    destination: matching.Destination
    host: str


def places_in(route: parsing.Parsed, snapshot: snapshots.MeshSnapshot) -> Iterator[Place]:
    """
    Yield every place in one VirtualService. Delegates speak for themselves: short names are those of their own
    namespace, and nothing is said again about whoever hands routes on to them.
    """
    if isinstance(route.spec, virtual_services.VirtualService):
        namespace = route.metadata.namespace
        for path, destination in destinations_in(route.spec):
            host = hosts.qualified(destination.host, namespace, snapshot.settings.domain)
            yield Place(route.ref, namespace, path, destination, host)


def destinations_in(
    spec: virtual_services.VirtualService,
) -> Iterator[tuple[str, matching.Destination]]:
    """Yield (field path, destination), in the order of the YAML."""
    for index, route in enumerate(spec.http):
        path = f"spec.http[{index}]"
        for number, target in enumerate(route.route):
            yield f"{path}.route[{number}].destination", target.destination
        if route.mirror is not None:
            yield f"{path}.mirror", route.mirror
        for number, mirror in enumerate(route.mirrors):
            yield f"{path}.mirrors[{number}].destination", mirror.destination
    rules = [(f"spec.tls[{index}]", rule.route) for index, rule in enumerate(spec.tls)]
    rules += [(f"spec.tcp[{index}]", rule.route) for index, rule in enumerate(spec.tcp)]
    for path, targets in rules:
        for number, connection_target in enumerate(targets):
            yield f"{path}.route[{number}].destination", connection_target.destination
