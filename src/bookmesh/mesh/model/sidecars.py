"""Sidecar (networking.istio.io): what some sidecars get to know of the mesh."""

from __future__ import annotations

import ipaddress
from collections.abc import Hashable, Iterable
from typing import Annotated, Final, Literal

import msgspec

from bookmesh.mesh.model.base import NOT_ACTED_ON, Model, PortNumber, ScopedHost, whole
from bookmesh.mesh.model.connection_pools import ConnectionPool
from bookmesh.mesh.model.gateways import ServerTls
from bookmesh.mesh.model.matching import Destination, LabelSelector

UNIX: Final = "unix://"
HTTP_PROXY: Final = "HTTP_PROXY"
# A path, or a name without one after `@`; the kernel has room for 107 bytes.
_SOCKET = r"unix://[/@][!-~]{1,105}"
# An address of the pod itself: loopback, or 0.0.0.0 for the address the pod has; or a Unix socket.
_ENDPOINT = whole(rf"((127\.0\.0\.1|0\.0\.0\.0):[0-9]{{1,5}}|{_SOCKET})?")
_BIND = whole(rf"([0-9a-fA-F.:]+|{_SOCKET})?")
CaptureMode = Literal["DEFAULT", "IPTABLES", "NONE"]
# Where a proxy listens itself: administration, redirected connections, HBONE, metrics, readiness, Prometheus.
_PROXY_PORTS: Final = frozenset({15000, 15001, 15006, 15008, 15020, 15021, 15090})


class SidecarPort(Model, frozen=True):
    """
    A port of a listener.

    number: The port; 0 where a Unix socket takes its place.
    protocol: HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS; of egress also HTTP_PROXY.
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
    bind: The address to listen on; that of the pod without it.
    capture_mode: How traffic reaches the listener: redirected, or with NONE because the proxy listens there itself.
    default_endpoint: Where traffic goes.
    tls: TLS towards clients.
    connection_pool: Limits on connections and requests.
    """

    port: SidecarPort
    bind: Annotated[str, _BIND] = ""
    capture_mode: CaptureMode | None = None
    default_endpoint: Annotated[str, _ENDPOINT] = ""
    tls: ServerTls | None = None
    connection_pool: ConnectionPool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.port.number or not self.port.protocol:
            raise ValueError("port needs number and protocol")
        if self.bind.startswith(UNIX):
            raise ValueError("bind must be an address; a Unix socket can be the defaultEndpoint")
        _check_place(self.port.number, self.bind, self.capture_mode)
        if self.tls is None:
            return
        if self.tls.mode not in ("SIMPLE", "MUTUAL"):
            raise ValueError(f"tls.mode {self.tls.mode} is not possible here; SIMPLE and MUTUAL are")
        if self.tls.credentials:
            raise ValueError("tls.credentialName is for gateways; a sidecar takes certificates from files")
        if self.port.protocol.upper() not in ("HTTPS", "TLS"):
            raise ValueError(f"protocol {self.port.protocol} has no TLS; HTTPS and TLS have")


def _check_place(number: int, bind: str, mode: CaptureMode | None) -> None:
    """
    Make sure that a proxy can listen there.

    Raises:
        ValueError: it cannot.
    """
    if bind and not bind.startswith(UNIX):
        try:
            ipaddress.ip_address(bind)
        except ValueError:
            raise ValueError(f'bind "{bind}" is neither an IP address nor {UNIX}PATH') from None
    if mode == "NONE" and number in _PROXY_PORTS:
        raise ValueError(f"port {number} is one of the proxy's own")


class EgressListener(Model, frozen=True):
    """
    Services that may be called.

    port: The port on which they may be called, and no others there; every port without it.
    bind: The address, or the Unix socket (`unix://PATH`), to listen on; 127.0.0.1 if need be.
    capture_mode: How traffic reaches the listener: redirected, or with NONE because the proxy listens there itself.
    hosts: NAMESPACE/HOST; `.` is the own namespace, `*` means all, and `~/*` none.
    """

    hosts: Annotated[tuple[ScopedHost, ...], msgspec.Meta(min_length=1)]
    port: SidecarPort | None = None
    bind: Annotated[str, _BIND] = ""
    capture_mode: CaptureMode | None = None

    @property
    def is_proxy(self) -> bool:
        """Whether it is an HTTP proxy: who calls it names the service in each request."""
        return self.port is not None and self.port.protocol.upper() == HTTP_PROXY

    def __post_init__(self) -> None:
        super().__post_init__()
        is_socket, number = self.bind.startswith(UNIX), self.port.number if self.port is not None else 0
        if self.port is not None and not number and not is_socket:
            raise ValueError(f"port needs a number, or bind a Unix socket ({UNIX}PATH)")
        if is_socket and (self.port is None or number):
            raise ValueError("a Unix socket needs a port with protocol and number 0")
        if is_socket and self.capture_mode == "IPTABLES":
            raise ValueError("captureMode IPTABLES is for ports; nothing redirects to a Unix socket")
        _check_place(number, self.bind, self.capture_mode)
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

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_unique("ingress", (each.port.number for each in self.ingress))
        ports = [each.port.number or each.bind for each in self.egress if each.port is not None]
        _check_unique("egress", ports)
        if any(each.port is None for each in self.egress[:-1]):
            raise ValueError("the listener of egress without port must be the last, and the only one")


def _check_unique(where: str, ports: Iterable[Hashable]) -> None:
    seen: set[Hashable] = set()
    for port in ports:
        if port in seen:
            raise ValueError(f"two listeners of {where} have port {port}")
        seen.add(port)
