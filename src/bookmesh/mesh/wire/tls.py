"""Transport sockets."""

from __future__ import annotations

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
    "RawBuffer",
    "SdsSecretConfig",
    "Secret",
    "SubjectAltNameMatcher",
    "TlsParameters",
    "UpstreamTlsContext",
]
