"""BM0211: a VirtualService hands routes on to one that does not exist, or that is no delegate."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base import near_misses
from bookmesh.base.findings import Finding
from bookmesh.mesh.model import parsing, virtual_services
from bookmesh.mesh.snapshot import delegates
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(route: parsing.Parsed, snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    if not isinstance(route.spec, virtual_services.VirtualService):
        return
    for index, handing in enumerate(route.spec.http):
        if handing.delegate is None:
            continue
        known = snapshot.configs.derive(virtual_services.VirtualService, delegates.delegates_in)
        namespace = handing.delegate.namespace or route.metadata.namespace
        if (namespace, handing.delegate.name) in known:
            continue
        names = [f"{namespace}/{name}" for namespace, name in known]
        wanted = f"{namespace}/{handing.delegate.name}"
        yield Finding(
            code="BM0211",
            message=f'{route.ref} delegates to "{wanted}", and no VirtualService without hosts has that name',
            subject=route.ref,
            where=f"spec.http[{index}].delegate",
            known=near_misses.listed(names),
            hint=f"{near_misses.did_you_mean(wanted, names)}create it without hosts and gateways; "
            "the route has no effect until then",
        )
