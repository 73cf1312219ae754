"""BM0205: servers of a Gateway whose protocol the gateways of this mesh do not serve yet."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.findings import Finding
from bookmesh.mesh.analysis import near_misses
from bookmesh.mesh.snapshot import gateways
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    for parsed, gateway in snapshots.gateways_in(snapshot.configs).values():
        for index, server in enumerate(gateway.servers):
            protocol = server.port.protocol.upper()
            if protocol not in gateways.HTTP_PROTOCOLS:
                yield Finding(
                    code="BM0205",
                    message=f"{parsed.ref} asks for {protocol} on port {server.port.number}, which this mesh does not "
                    "serve yet",
                    subject=parsed.ref,
                    where=f"spec.servers[{index}].port.protocol",
                    known=near_misses.listed(sorted(gateways.HTTP_PROTOCOLS)),
                    hint="the other servers of the gateway are in force",
                    severity="warning",
                )
