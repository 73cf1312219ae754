"""BM0211: a VirtualService hands routes on to one that does not exist, or that is no delegate."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.findings import Finding
from bookmesh.mesh.analysis import near_misses
from bookmesh.mesh.model import virtual_services
from bookmesh.mesh.snapshot import delegates
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    known = delegates.delegates_in(snapshot.configs)
    names = [f"{namespace}/{name}" for namespace, name in known]
    for parsed in snapshot.configs:
        if not isinstance(parsed.spec, virtual_services.VirtualService):
            continue
        for index, route in enumerate(parsed.spec.http):
            if route.delegate is None:
                continue
            namespace = route.delegate.namespace or parsed.metadata.namespace
            if (namespace, route.delegate.name) in known:
                continue
            wanted = f"{namespace}/{route.delegate.name}"
            yield Finding(
                code="BM0211",
                message=f'{parsed.ref} delegates to "{wanted}", and no VirtualService without hosts has that name',
                subject=parsed.ref,
                where=f"spec.http[{index}].delegate",
                known=near_misses.listed(names),
                hint=f"{near_misses.did_you_mean(wanted, names)}create it without hosts and gateways; "
                "the route has no effect until then",
            )
