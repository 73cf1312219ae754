"""Sidecar (networking.istio.io): what some sidecars get to know of the mesh."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from bookmesh.mesh.model.base import NOT_ACTED_ON, Model, PortNumber, ScopedHost, whole
from bookmesh.mesh.model.connection_pools import ConnectionPool
from bookmesh.mesh.model.gateways import ServerTls
from bookmesh.mesh.model.matching import Destination, LabelSelector

# An address of the pod itself: loopback, or 0.0.0.0 for the address the pod has; or a Unix socket.
_ENDPOINT = whole(r"((127\.0\.0\.1|0\.0\.0\.0):[0-9]{1,5}|unix:///.+)?")
CaptureMode = Literal["DEFAULT", "IPTABLES", "NONE"]


class SidecarPort(Model, frozen=True):
    """
    A port of a listener.

    number: The port.
    protocol: HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS.
    name: A name for the port.
    target_port: Deprecated and without effect.
    """

    number: PortNumber = 0
    protocol: str = ""
    name: str = ""
    target_port: Annotated[PortNumber | None, NOT_ACTED_ON] = None


class IngressListener(Model, frozen=True):
    """
    Inbound traffic on one port.

    port: The port.
    bind: The address to listen on.
    capture_mode: How traffic reaches the listener.
    default_endpoint: Where traffic goes.
    tls: TLS towards clients.
    connection_pool: Limits on connections and requests.
    """

    port: SidecarPort
    bind: Annotated[str, NOT_ACTED_ON] = ""
    capture_mode: CaptureMode | None = None
    default_endpoint: Annotated[str, _ENDPOINT] = ""
    tls: ServerTls | None = None
    connection_pool: ConnectionPool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.port.number or not self.port.protocol:
            raise ValueError("port needs number and protocol")
        if self.capture_mode == "NONE":
            raise ValueError("captureMode NONE is not possible here: every connection is intercepted")
        if self.tls is None:
            return
        if self.tls.mode not in ("SIMPLE", "MUTUAL"):
            raise ValueError(f"tls.mode {self.tls.mode} is not possible here; SIMPLE and MUTUAL are")
        if self.tls.credentials:
            raise ValueError("tls.credentialName is for gateways; a sidecar takes certificates from files")
        if self.port.protocol.upper() not in ("HTTPS", "TLS"):
            raise ValueError(f"protocol {self.port.protocol} has no TLS; HTTPS and TLS have")


class EgressListener(Model, frozen=True):
    """
    Services that may be called.

    port: The port on which they may be called, and no others there; every port without it.
    bind: The address to listen on.
    capture_mode: How traffic reaches the listener.
    hosts: NAMESPACE/HOST; `.` is the own namespace, `*` means all, and `~/*` none.
    """

    hosts: Annotated[tuple[ScopedHost, ...], msgspec.Meta(min_length=1)]
    port: SidecarPort | None = None
    bind: Annotated[str, NOT_ACTED_ON] = ""
    capture_mode: CaptureMode | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.port is not None and not self.port.number:
            raise ValueError("port needs a number")
        if self.port is not None and self.port.protocol.upper() == "HTTP_PROXY":
            raise ValueError("protocol HTTP_PROXY is not possible here: every connection is intercepted")
        if self.capture_mode == "NONE":
            raise ValueError("captureMode NONE is not possible here: every connection is intercepted")
        for host in self.hosts:
            if "/" not in host:
                raise ValueError(f'host "{host}" must be NAMESPACE/HOST')


class OutboundTrafficPolicy(Model, frozen=True):
    """
    What happens to calls of services nobody knows.

    mode: ALLOW_ANY lets them pass, REGISTRY_ONLY refuses them.
    egress_proxy: The service they are sent to.
    """

    mode: Literal["REGISTRY_ONLY", "ALLOW_ANY"] | None = None
    egress_proxy: Destination | None = None


class Sidecar(Model, frozen=True):
    """
    What the sidecars of a namespace, or some of them, get to know of the mesh.

    workload_selector: The pods to which it applies; all of the namespace without it.
    ingress: Inbound traffic by port.
    egress: Services that may be called.
    inbound_connection_pool: Limits on inbound connections.
    outbound_traffic_policy: What happens to calls of services nobody knows.
    """

    workload_selector: LabelSelector | None = None
    ingress: tuple[IngressListener, ...] = ()
    egress: tuple[EgressListener, ...] = ()
    inbound_connection_pool: ConnectionPool | None = None
    outbound_traffic_policy: OutboundTrafficPolicy | None = None
