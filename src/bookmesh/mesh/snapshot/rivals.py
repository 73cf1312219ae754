"""Which of the services of one host a proxy goes by, when ServiceEntries gave it several."""

from __future__ import annotations

from collections.abc import Sequence

from bookmesh.mesh.registry import services as services_
from bookmesh.mesh.snapshot import visibility


def pick(
    seen: Sequence[services_.Service], *, namespace: str, is_router: bool, default: Sequence[str]
) -> services_.Service:
    """
    Pick one of the services that a proxy in `namespace` sees; at least one, in the registry's order.

    A sidecar prefers those of its own namespace. Then one of Kubernetes wins, so that nobody takes its name away, then
    one that is exported by name over one that everybody sees, and the first.

    Source: Istio's `SidecarScope`, which has another rule for gateways.
    """
    own = [service for service in seen if service.namespace == namespace]
    candidates = own if own and not is_router else seen
    return min(
        candidates,
        key=lambda service: (
            service.entry is not None,
            visibility.EVERYBODY in (service.export_to or default),
        ),
    )
