"""ServiceEntry (networking.istio.io): services that Kubernetes does not know."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Final, Literal

import msgspec

from bookmesh.mesh.model.base import Model, PortNumber, WholeHostName
from bookmesh.mesh.model.matching import LabelSelector
from bookmesh.mesh.model.workload_entries import WorkloadEntry

# Those by which a client says the name of the host it wants.
_NAMED_PROTOCOLS: Final = ("HTTP", "HTTP2", "GRPC", "TLS")


class EntryPort(Model, frozen=True):
    """
    A port of the service.

    number: The port.
    name: A name, unique within the entry.
    protocol: HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS.
    target_port: The port of the endpoints; the same without it.
    """

    number: PortNumber
    name: str
    protocol: str = ""
    target_port: PortNumber = 0


class ServiceEntry(Model, frozen=True):
    """
    A service that Kubernetes does not know.

    hosts: Its names.
    addresses: Its virtual addresses.
    ports: Its ports.
    location: Whether it is part of the mesh.
    resolution: How its addresses are found.
    endpoints: Its addresses.
    workload_selector: Pods and WorkloadEntries behind it.
    export_to: Namespaces that see it.
    subject_alt_names: Names its certificates must have one of.
    """

    hosts: Annotated[tuple[WholeHostName, ...], msgspec.Meta(min_length=1)]
    addresses: tuple[str, ...] = ()
    ports: tuple[EntryPort, ...] = ()
    location: Literal["MESH_EXTERNAL", "MESH_INTERNAL"] | None = None
    resolution: Literal["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"] | None = None
    endpoints: tuple[WorkloadEntry, ...] = ()
    workload_selector: LabelSelector | None = None
    export_to: tuple[str, ...] = ()
    subject_alt_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for address in self.addresses:
            if not _is_network(address):
                raise ValueError(f'addresses are IP addresses or CIDR ranges, not "{address}"')
        if self.resolution == "DYNAMIC_DNS":
            self._check_dynamic()
        for port in self.ports:
            if not port.number:
                raise ValueError("ports are numbers from 1 to 65535, not 0")
        for endpoint in self.endpoints if self.resolution == "STATIC" else ():
            if not endpoint.address.startswith("unix://") and not _is_address(endpoint.address):
                raise ValueError(
                    "with resolution STATIC an endpoint's address is an IP address or unix:///path, "
                    f'not "{endpoint.address}"'
                )

    def _check_dynamic(self) -> None:
        """Names that are looked up when they are called are covered by a wildcard, and called by HTTP or TLS."""
        if not all(host.startswith("*.") for host in self.hosts):
            raise ValueError("with resolution DYNAMIC_DNS hosts begin with a wildcard, such as *.example.com")
        if self.addresses or self.endpoints or self.workload_selector is not None:
            raise ValueError(
                "with resolution DYNAMIC_DNS there are no addresses, endpoints or workloadSelector"
            )
        for port in self.ports:
            if port.protocol.upper() not in _NAMED_PROTOCOLS:
                raise ValueError(
                    f'with resolution DYNAMIC_DNS protocols are {", ".join(_NAMED_PROTOCOLS)}, not "{port.protocol}"'
                )


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
