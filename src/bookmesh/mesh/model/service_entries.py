"""ServiceEntry (networking.istio.io): services that Kubernetes does not know."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from bookmesh.mesh.model.base import Model, PortNumber, UInt32


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


class EntryEndpoint(Model, frozen=True):
    """
    One address of the service.

    address: An IP address, a DNS name or unix:///path.
    ports: Ports by the names of the entry's ports.
    labels: Labels for subsets.
    network: The network of the address.
    locality: region/zone/subzone.
    weight: The share of traffic.
    service_account: The identity of the endpoint.
    """

    address: str = ""
    ports: dict[str, PortNumber] = {}
    labels: dict[str, str] = {}
    network: str = ""
    locality: str = ""
    weight: UInt32 = 0
    service_account: str = ""


class EntryWorkloadSelector(Model, frozen=True):
    """
    Workloads by label.

    labels: Labels the workloads must have.
    """

    labels: dict[str, str] = {}


class ServiceEntry(Model, frozen=True):
    """
    A service that Kubernetes does not know.

    hosts: Its names.
    addresses: Its virtual addresses.
    ports: Its ports.
    location: Whether it is part of the mesh.
    resolution: How its addresses are found.
    endpoints: Its addresses.
    workload_selector: Pods behind it.
    export_to: Namespaces that see it.
    subject_alt_names: Names its certificates must have one of.
    """

    hosts: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    addresses: tuple[str, ...] = ()
    ports: tuple[EntryPort, ...] = ()
    location: Literal["MESH_EXTERNAL", "MESH_INTERNAL"] | None = None
    resolution: Literal["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"] | None = None
    endpoints: tuple[EntryEndpoint, ...] = ()
    workload_selector: EntryWorkloadSelector | None = None
    export_to: tuple[str, ...] = ()
    subject_alt_names: tuple[str, ...] = ()
