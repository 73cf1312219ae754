"""BM0204: a VirtualService, or one of its conditions, names a Gateway that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base import near_misses
from bookmesh.base.findings import Finding
from bookmesh.mesh.model import parsing, virtual_services
from bookmesh.mesh.snapshot import routing
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(route: parsing.Parsed, snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    if not isinstance(route.spec, virtual_services.VirtualService):
        return
    known = snapshots.gateways_in(snapshot.configs)
    for path, written in _gateways_named(route.spec):
        name = routing.qualified_gateway(written, route.metadata.namespace)
        if name != routing.MESH and name not in known:
            hint = "create the Gateway, or correct the name (NAMESPACE/NAME for one elsewhere)"
            yield Finding(
                code="BM0204",
                message=f'{route.ref} names gateway "{name}", which does not exist',
                subject=route.ref,
                where=path,
                known=near_misses.listed(known),
                hint=near_misses.did_you_mean(name, known) + hint,
            )


def _gateways_named(spec: virtual_services.VirtualService) -> Iterator[tuple[str, str]]:
    for index, name in enumerate(spec.gateways):
        yield f"spec.gateways[{index}]", name
    for position, route in enumerate(spec.http):
        for number, match in enumerate(route.match):
            for index, name in enumerate(match.gateways):
                yield f"spec.http[{position}].match[{number}].gateways[{index}]", name
