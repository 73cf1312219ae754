"""The table of kinds: names, versions and printer columns as Istio's own CRDs have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bookmesh.base import kubernetes
from bookmesh.mesh.model import (
    base,
    destination_rules,
    envoy_filters,
    gateways,
    peer_authentications,
    proxy_configs,
    service_entries,
    sidecars,
    virtual_services,
    workload_entries,
    workload_groups,
)

NETWORKING: Final = "networking.istio.io"
SECURITY: Final = "security.istio.io"
VERSIONS: Final = ("v1", "v1beta1", "v1alpha3")
SECURITY_VERSIONS: Final = ("v1", "v1beta1")


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
    accepted, with a warning. `ref_kind` is how references name it when another group has a kind of the same name.
    """

    kind: str
    plural: str
    short_name: str
    spec: type[base.Model]
    columns: tuple[Column, ...] = ()
    group: str = NETWORKING
    versions: tuple[str, ...] = VERSIONS
    is_acted_on: bool = True
    is_namespaced: bool = True
    categories: tuple[str, ...] = ()
    ref_kind: str = ""

    @property
    def name(self) -> str:
        """What references and messages call the kind."""
        return self.ref_kind or self.kind

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
    Kind(
        kind="WorkloadEntry",
        plural="workloadentries",
        short_name="we",
        spec=workload_entries.WorkloadEntry,
        columns=(Column("Address", ".spec.address", "Where the workload answers"),),
    ),
    Kind(
        kind="WorkloadGroup",
        plural="workloadgroups",
        short_name="wg",
        spec=workload_groups.WorkloadGroup,
        is_acted_on=False,
    ),
    Kind(
        kind="EnvoyFilter",
        plural="envoyfilters",
        short_name="",
        spec=envoy_filters.EnvoyFilter,
        versions=("v1alpha3",),
    ),
    Kind(
        kind="ProxyConfig",
        plural="proxyconfigs",
        short_name="",
        spec=proxy_configs.ProxyConfig,
        versions=("v1beta1",),
    ),
    Kind(
        kind="PeerAuthentication",
        plural="peerauthentications",
        short_name="pa",
        spec=peer_authentications.PeerAuthentication,
        columns=(Column("Mode", ".spec.mtls.mode", "What is accepted: plain text, mTLS or both"),),
        group=SECURITY,
        versions=SECURITY_VERSIONS,
    ),
)


def kind_for(api_version: str, kind: str, table: Sequence[Kind] = KINDS) -> Kind | None:
    """Look a kind up by the `apiVersion` and `kind` of an object, in any served version."""
    group, _, version = api_version.rpartition("/")
    for candidate in table:
        if (candidate.group, candidate.kind) == (group, kind) and version in candidate.versions:
            return candidate
    return None
