"""Which protocol a Service port speaks, by Istio's rules: `appProtocol`, else the prefix of the port's name."""

from __future__ import annotations

import enum
from typing import Final


class Protocol(enum.Enum):
    """AUTO means that nothing was declared: the proxy looks at the first bytes."""

    AUTO = "auto"
    HTTP = "http"
    HTTP2 = "http2"
    GRPC = "grpc"
    GRPC_WEB = "grpc-web"
    HTTPS = "https"
    TLS = "tls"
    TCP = "tcp"
    MONGO = "mongo"
    MYSQL = "mysql"
    REDIS = "redis"
    UDP = "udp"

    @property
    def is_http(self) -> bool:
        return self in _HTTP

    @property
    def is_http2(self) -> bool:
        return self in _HTTP2

    @property
    def is_tls(self) -> bool:
        return self in (Protocol.HTTPS, Protocol.TLS)

    @property
    def inside_tls(self) -> Protocol:
        """What is spoken once TLS has ended."""
        return {Protocol.HTTPS: Protocol.HTTP, Protocol.TLS: Protocol.TCP}.get(self, self)


_HTTP: Final = frozenset({Protocol.HTTP, Protocol.HTTP2, Protocol.GRPC, Protocol.GRPC_WEB})
_HTTP2: Final = frozenset({Protocol.HTTP2, Protocol.GRPC, Protocol.GRPC_WEB})
_BY_NAME: Final = {protocol.value: protocol for protocol in Protocol if protocol is not Protocol.AUTO}
_KUBERNETES_NAMES: Final = {
    "kubernetes.io/h2c": Protocol.HTTP2,
    "kubernetes.io/ws": Protocol.HTTP,
    "kubernetes.io/wss": Protocol.HTTPS,
}
# SMTP, DNS, MySQL, MongoDB: the server may speak first, so looking at the client's bytes would hang.
_PLAIN_TCP_PORTS: Final = frozenset({25, 53, 3306, 27017})


def protocol_for(
    *, name: str, app_protocol: str | None = None, transport: str = "TCP", number: int = 0
) -> Protocol:
    """
    Tell what a port speaks.

    Source: Service `spec.ports[]`: `appProtocol` wins over the name; in a name the part before the first `-` counts.
    """
    if transport == "UDP":
        return Protocol.UDP
    if app_protocol in _KUBERNETES_NAMES:
        return _KUBERNETES_NAMES[app_protocol]
    declared = (app_protocol if app_protocol is not None else name).lower()
    if declared.startswith(Protocol.GRPC_WEB.value):
        return Protocol.GRPC_WEB
    found = _BY_NAME.get(declared.partition("-")[0])
    if found is not None:
        return found
    return Protocol.TCP if number in _PLAIN_TCP_PORTS else Protocol.AUTO
