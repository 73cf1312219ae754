"""The table of kinds: names, versions and printer columns as Istio's own CRDs have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bookmesh.base import kubernetes
from bookmesh.mesh.model import base, destination_rules, gateways, service_entries, sidecars, virtual_services

NETWORKING: Final = "networking.istio.io"
VERSIONS: Final = ("v1", "v1beta1", "v1alpha3")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `kubectl get`."""

    name: str
    path: str
    description: str = ""
    type: str = "string"


@dataclass(frozen=True, slots=True)
class Kind:
    """
    One kind; the first of `versions` is stored, all have the same schema. Objects of a kind that is not acted on are
    accepted, with a warning.
    """

    kind: str
    plural: str
    short_name: str
    spec: type[base.Model]
    columns: tuple[Column, ...] = ()
    group: str = NETWORKING
    versions: tuple[str, ...] = VERSIONS
    is_acted_on: bool = True

    @property
    def resource(self) -> kubernetes.Resource:
        """The coordinates under which a client lists and watches the stored version."""
        return kubernetes.Resource(self.group, self.versions[0], self.plural)


KINDS: Final = (
    Kind(
        kind="VirtualService",
        plural="virtualservices",
        short_name="vs",
        spec=virtual_services.VirtualService,
        columns=(
            Column("Gateways", ".spec.gateways", "The gateways, and sidecars, to which the routes apply"),
            Column("Hosts", ".spec.hosts", "The hosts whose traffic is routed"),
        ),
    ),
    Kind(
        kind="DestinationRule",
        plural="destinationrules",
        short_name="dr",
        spec=destination_rules.DestinationRule,
        columns=(Column("Host", ".spec.host", "The service to which the policies apply"),),
    ),
    Kind(kind="Gateway", plural="gateways", short_name="gw", spec=gateways.Gateway),
    Kind(
        kind="ServiceEntry",
        plural="serviceentries",
        short_name="se",
        spec=service_entries.ServiceEntry,
        columns=(
            Column("Hosts", ".spec.hosts", "The names of the service"),
            Column("Location", ".spec.location", "Whether the service is part of the mesh"),
            Column("Resolution", ".spec.resolution", "How its addresses are found"),
        ),
    ),
    Kind(kind="Sidecar", plural="sidecars", short_name="", spec=sidecars.Sidecar),
)


def kind_for(api_version: str, kind: str) -> Kind | None:
    """Look a kind up by the `apiVersion` and `kind` of an object, in any served version."""
    group, _, version = api_version.rpartition("/")
    for candidate in KINDS:
        if (candidate.group, candidate.kind) == (group, kind) and version in candidate.versions:
            return candidate
    return None
