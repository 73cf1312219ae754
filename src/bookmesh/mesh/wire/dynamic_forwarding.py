"""Forwarding to whatever host a request or a TLS greeting names, which is looked up when it is asked for."""

from __future__ import annotations

from envoy.extensions.clusters.dynamic_forward_proxy.v3.cluster_pb2 import ClusterConfig
from envoy.extensions.common.dynamic_forward_proxy.v3.dns_cache_pb2 import DnsCacheConfig
from envoy.extensions.filters.http.dynamic_forward_proxy.v3.dynamic_forward_proxy_pb2 import (
    FilterConfig as HttpFilterConfig,
)
from envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.sni_dynamic_forward_proxy_pb2 import (
    FilterConfig as SniFilterConfig,
)

__all__ = [
    "ClusterConfig",
    "DnsCacheConfig",
    "HttpFilterConfig",
    "SniFilterConfig",
]
