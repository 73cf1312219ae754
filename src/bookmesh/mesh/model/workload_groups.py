"""WorkloadGroup (networking.istio.io): a template for workloads that are no pods."""

from __future__ import annotations

from typing import Annotated

import msgspec

from bookmesh.mesh.model.base import Model, UInt32

Seconds = Annotated[int, msgspec.Meta(ge=0, le=2147483647)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class GroupMetadata(Model, frozen=True):
    """
    Metadata of the entries of the group.

    labels: Labels they get.
    annotations: Annotations they get.
    """

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class GroupTemplate(Model, frozen=True):
    """
    What the entries of the group have in common.

    address: The address; usually that of the workload itself.
    ports: Ports by the names of the ports of the service.
    labels: Labels by which services and subsets select it.
    network: The network of the address.
    locality: region/zone/subzone.
    weight: The share of traffic.
    service_account: The identity with which it proves who it is.
    """

    address: str = ""
    ports: dict[str, Port] = {}
    labels: dict[str, str] = {}
    network: str = ""
    locality: str = ""
    weight: UInt32 = 0
    service_account: str = ""


class ProbeHeader(Model, frozen=True):
    """
    A header of a probe.

    name: Its name.
    value: Its value.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[-_A-Za-z0-9]+$")] = ""
    value: str = ""


class HttpProbe(Model, frozen=True):
    """
    A request; 200 to 399 is healthy.

    port: The port.
    path: The path.
    host: The host that is called.
    scheme: HTTP or HTTPS.
    http_headers: Headers of the request.
    """

    port: Port
    path: str = ""
    host: str = ""
    scheme: str = ""
    http_headers: tuple[ProbeHeader, ...] = ()


class TcpProbe(Model, frozen=True):
    """
    A connection.

    port: The port.
    host: The host that is called.
    """

    port: Port
    host: str = ""


class ExecProbe(Model, frozen=True):
    """
    A command; exit code 0 is healthy.

    command: The command and its arguments.
    """

    command: tuple[Annotated[str, msgspec.Meta(min_length=1)], ...]


class GrpcProbe(Model, frozen=True):
    """
    A call of the gRPC health service.

    port: The port.
    service: The name of the service that is asked for.
    """

    port: Port | None = None
    service: str = ""


class ReadinessProbe(Model, frozen=True):
    """
    How it is found out whether a workload can take traffic.

    initial_delay_seconds: The time before the first probe.
    timeout_seconds: How long a probe may take.
    period_seconds: The time between probes.
    success_threshold: Successes after which it is healthy.
    failure_threshold: Failures after which it is not.
    http_get: A request.
    tcp_socket: A connection.
    exec_: A command.
    grpc: A call of the gRPC health service.
    """

    initial_delay_seconds: Seconds = 0
    timeout_seconds: Seconds = 0
    period_seconds: Seconds = 0
    success_threshold: Seconds = 0
    failure_threshold: Seconds = 0
    http_get: HttpProbe | None = None
    tcp_socket: TcpProbe | None = None
    exec_: ExecProbe | None = msgspec.field(default=None, name="exec")
    grpc: GrpcProbe | None = None

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (("http_get", "tcp_socket", "exec_", "grpc"),)


class WorkloadGroup(Model, frozen=True):
    """
    A template for workloads that are no pods and join the mesh by themselves.

    metadata: Metadata of the entries of the group.
    template: What the entries have in common.
    probe: How it is found out whether a workload can take traffic.
    """

    template: GroupTemplate
    metadata: GroupMetadata | None = None
    probe: ReadinessProbe | None = None
