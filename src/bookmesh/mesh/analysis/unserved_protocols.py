"""BM0205: servers of a Gateway that this mesh does not serve yet."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base import near_misses
from bookmesh.base.findings import Finding
from bookmesh.mesh.snapshot import gateways
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    for parsed, gateway in snapshots.gateways_in(snapshot.configs).values():
        for index, server in enumerate(gateway.servers):
            if gateways.GatewayServer("", parsed.ref, parsed.digest, index, server).is_served:
                continue
            protocol = server.port.protocol.upper()
            what, where = protocol, "port.protocol"
            known = sorted(gateways.HTTP_PROTOCOLS | gateways.TCP_PROTOCOLS | gateways.TLS_PROTOCOLS)
            if server.tls is not None and server.tls.mode is not None:
                what, where = f"TLS mode {server.tls.mode}", "tls.mode"
                known = [
                    "SIMPLE",
                    "MUTUAL",
                    "OPTIONAL_MUTUAL",
                    "ISTIO_MUTUAL",
                    "PASSTHROUGH",
                    "AUTO_PASSTHROUGH",
                ]
            yield Finding(
                code="BM0205",
                message=f"{parsed.ref} asks for {what} on port {server.port.number}, which this mesh does not serve "
                "yet",
                subject=parsed.ref,
                where=f"spec.servers[{index}].{where}",
                known=near_misses.listed(known),
                hint="the other servers of the gateway are in force",
                severity="warning",
            )
