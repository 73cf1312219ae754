"""Transport sockets."""

from __future__ import annotations

from envoy.config.core.v3.proxy_protocol_pb2 import ProxyProtocolConfig
from envoy.extensions.transport_sockets.proxy_protocol.v3.upstream_proxy_protocol_pb2 import (
    ProxyProtocolUpstreamTransport,
)
from envoy.extensions.transport_sockets.raw_buffer.v3.raw_buffer_pb2 import RawBuffer
from envoy.extensions.transport_sockets.tls.v3.common_pb2 import (
    CertificateValidationContext,
    SubjectAltNameMatcher,
    TlsParameters,
)
from envoy.extensions.transport_sockets.tls.v3.secret_pb2 import SdsSecretConfig, Secret
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import (
    CommonTlsContext,
    DownstreamTlsContext,
    UpstreamTlsContext,
)

__all__ = [
    "CertificateValidationContext",
    "CommonTlsContext",
    "DownstreamTlsContext",
    "ProxyProtocolConfig",
    "ProxyProtocolUpstreamTransport",
    "RawBuffer",
    "SdsSecretConfig",
    "Secret",
    "SubjectAltNameMatcher",
    "TlsParameters",
    "UpstreamTlsContext",
]
