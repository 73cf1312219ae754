"""VirtualServices with their names resolved, in the order in which they count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import matching, parsing, virtual_services
from bookmesh.mesh.snapshot import hosts

MESH: Final = "mesh"


@dataclass(frozen=True, slots=True)
class Routing:
    """
    One VirtualService. `hosts` are fully qualified; `gateways` are `NAMESPACE/NAME` or `mesh`, never empty.
    Equal when the content is.
    """

    ref: ObjectRef
    digest: str
    hosts: tuple[str, ...]
    gateways: tuple[str, ...]
    spec: virtual_services.VirtualService = field(compare=False)
    domain: str = "cluster.local"

    def is_visible_in(self, namespace: str) -> bool:
        return is_exported(self.spec.export_to, self.ref.namespace, namespace)

    def destination_host(self, destination: matching.Destination) -> str:
        """The fully qualified name of a destination of this VirtualService."""
        return hosts.qualified(destination.host, self.ref.namespace, self.domain)


def build_routing(parsed: parsing.Parsed, spec: virtual_services.VirtualService, domain: str) -> Routing:
    namespace = parsed.metadata.namespace
    return Routing(
        ref=parsed.ref,
        digest=parsed.digest,
        hosts=tuple(hosts.qualified(host, namespace, domain) for host in spec.hosts),
        gateways=tuple(qualified_gateway(name, namespace) for name in spec.gateways) or (MESH,),
        spec=spec,
        domain=domain,
    )


def qualified_gateway(name: str, namespace: str) -> str:
    return name if name == MESH or "/" in name else f"{namespace}/{name}"


def is_exported(export_to: Sequence[str], own_namespace: str, namespace: str) -> bool:
    """Whether an object with this `exportTo` is seen in `namespace`; without one everybody sees it."""
    return (
        not export_to
        or "*" in export_to
        or namespace in export_to
        or ("." in export_to and namespace == own_namespace)
    )
