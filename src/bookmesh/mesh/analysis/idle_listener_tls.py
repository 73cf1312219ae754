"""BM0421: TLS of a Sidecar's listener on a port where the mesh's own mTLS counts, so that it has no effect."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.findings import Finding
from bookmesh.mesh.model import parsing, sidecars
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    for parsed in snapshot.configs.of(sidecars.Sidecar):
        if not isinstance(parsed.spec, sidecars.Sidecar):
            continue
        for index, listener in enumerate(parsed.spec.ingress):
            mode = _mode_in_force(snapshot, parsed, parsed.spec, listener.port.number)
            if listener.tls is None or mode in ("", "DISABLE"):
                continue
            yield Finding(
                code="BM0421",
                message=f"{parsed.ref} has TLS on port {listener.port.number}, which has no effect: mTLS of the mesh "
                f"is {mode} there",
                subject=parsed.ref,
                where=f"spec.ingress[{index}].tls",
                known="the two exclude each other on one port",
                hint="a PeerAuthentication for these pods with "
                f"portLevelMtls {{{listener.port.number}: {{mode: DISABLE}}}}",
                severity="warning",
            )


def _mode_in_force(
    snapshot: snapshots.MeshSnapshot, parsed: parsing.Parsed, spec: sidecars.Sidecar, port: int
) -> str:
    """The first mode other than DISABLE that a selected pod has on the port; "" without any pod."""
    wanted = spec.workload_selector.labels.items() if spec.workload_selector is not None else {}.items()
    modes = [
        snapshot.peers.modes_for(workload.namespace, workload.labels).of(port)
        for _, workload in sorted(snapshot.registry.workloads.items())
        if workload.namespace == parsed.metadata.namespace and wanted <= workload.labels.items()
    ]
    return next((mode for mode in modes if mode != "DISABLE"), modes[0] if modes else "")
