"""BM0208: a Gateway whose selector finds no pod, so that nobody listens."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base import near_misses
from bookmesh.base.findings import Finding
from bookmesh.mesh.model import internal
from bookmesh.mesh.snapshot import gateways
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    workloads = snapshot.registry.workloads.values()
    for parsed, gateway in snapshots.gateways_in(snapshot.configs).values():
        is_bound = isinstance(gateway, internal.ServiceGateway)  # says in its status what is missing
        if is_bound or any(gateways.selects(gateway, each, snapshot.registry) for each in workloads):
            continue
        selector = ", ".join(f"{key}={value}" for key, value in gateway.selector.items())
        values = sorted(w.labels[key] for w in workloads for key in gateway.selector if key in w.labels)
        yield Finding(
            code="BM0208",
            message=f"{parsed.ref} selects pods with {selector}, and there is none",
            subject=parsed.ref,
            where="spec.selector",
            known=near_misses.listed(values),
            hint="start a gateway with these labels, or correct the selector",
            severity="warning",
        )
