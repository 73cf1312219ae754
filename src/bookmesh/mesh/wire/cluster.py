"""Clusters, their endpoints, and the transport sockets to them."""

from __future__ import annotations

from envoy.config.cluster.v3.circuit_breaker_pb2 import CircuitBreakers
from envoy.config.cluster.v3.cluster_pb2 import Cluster, UpstreamConnectionOptions
from envoy.config.cluster.v3.outlier_detection_pb2 import OutlierDetection
from envoy.config.common.matcher.v3.matcher_pb2 import HttpHeadersMatch, MatchPredicate
from envoy.config.core.v3.address_pb2 import TcpKeepalive
from envoy.config.core.v3.protocol_pb2 import (
    Http1ProtocolOptions,
    Http2ProtocolOptions,
    UpstreamHttpProtocolOptions,
)
from envoy.config.endpoint.v3.endpoint_components_pb2 import Endpoint, LbEndpoint, LocalityLbEndpoints
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions

__all__ = [
    "CircuitBreakers",
    "Cluster",
    "ClusterLoadAssignment",
    "Endpoint",
    "Http1ProtocolOptions",
    "Http2ProtocolOptions",
    "HttpHeadersMatch",
    "HttpProtocolOptions",
    "LbEndpoint",
    "LocalityLbEndpoints",
    "MatchPredicate",
    "OutlierDetection",
    "TcpKeepalive",
    "UpstreamConnectionOptions",
    "UpstreamHttpProtocolOptions",
]
