"""BM0212: a WorkloadEntry with a name for an address, behind something that needs addresses."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.findings import Finding
from bookmesh.mesh.model import service_entries, workload_entries
from bookmesh.mesh.registry import workloads
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    for parsed in snapshot.configs.of(workload_entries.WorkloadEntry):
        entry = parsed.spec
        if not isinstance(entry, workload_entries.WorkloadEntry) or not entry.address:
            continue
        workload = workloads.build_entry(parsed.metadata.name, parsed.metadata.namespace, entry)
        if workload.is_at_address:
            continue
        for selecting in _selecting(workload, snapshot):
            yield Finding(
                code="BM0212",
                message=f"{parsed.ref} is left out of {selecting}, which needs an IP address and gets {entry.address}",
                subject=parsed.ref,
                where="spec.address",
                hint="write the address, or select the entry by a ServiceEntry with resolution DNS",
                severity="warning",
            )


def _selecting(workload: workloads.Workload, snapshot: snapshots.MeshSnapshot) -> Iterator[str]:
    """What would send requests to a workload if it had an address."""
    for _, service in sorted(snapshot.registry.services.items()):
        is_near = service.entry is None and service.namespace == workload.namespace
        if is_near and service.selects(workload.labels):
            yield str(service.ref)
    for parsed in snapshot.configs.of(service_entries.ServiceEntry):
        spec = parsed.spec
        if not isinstance(spec, service_entries.ServiceEntry) or spec.resolution != "STATIC":
            continue
        selector, namespace = spec.workload_selector, parsed.metadata.namespace
        if selector is None or namespace != workload.namespace:
            continue
        if selector.labels.items() <= workload.labels.items():
            yield str(parsed.ref)
