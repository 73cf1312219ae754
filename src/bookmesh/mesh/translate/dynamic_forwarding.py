"""
Services whose hosts are found when they are called: ServiceEntries with a wildcard and resolution DYNAMIC_DNS.

A filter looks up the name that a request or a TLS greeting has, and the cluster connects to what was found. Both know
each other by the name of a cache; all of a proxy share one, since one connection manager serves several such services.
"""

from __future__ import annotations

from typing import Final

from bookmesh.mesh.wire import cluster as cluster_wire
from bookmesh.mesh.wire import dynamic_forwarding as wire
from bookmesh.mesh.wire import listener as listener_wire
from bookmesh.mesh.wire import messages

_CLUSTER_TYPE: Final = "envoy.clusters.dynamic_forward_proxy"
_HTTP_FILTER: Final = "envoy.filters.http.dynamic_forward_proxy"
_SNI_FILTER: Final = "envoy.filters.network.sni_dynamic_forward_proxy"
_CACHE: Final = "dynamic_dns"


def apply(cluster: cluster_wire.Cluster) -> None:
    """
    Let a cluster connect to whatever the filters before it have looked up.

    Source: ServiceEntry `resolution: DYNAMIC_DNS`.
    """
    # Envoy asks for TLS that verifies the host unless told that this is meant.
    config = wire.ClusterConfig(dns_cache_config=_cache(), allow_insecure_cluster_options=True)
    cluster.cluster_type.name = _CLUSTER_TYPE
    cluster.cluster_type.typed_config.CopyFrom(messages.pack(config))
    cluster.lb_policy = cluster_wire.Cluster.CLUSTER_PROVIDED


def http_filter() -> listener_wire.HttpFilter:
    """Look up the host of requests whose route leads to such a cluster, and of no others."""
    config = wire.HttpFilterConfig(dns_cache_config=_cache())
    return listener_wire.HttpFilter(name=_HTTP_FILTER, typed_config=messages.pack(config))


def sni_filter(port: int) -> listener_wire.Filter:
    """Look up the name in a TLS greeting, to connect to it on `port`."""
    config = wire.SniFilterConfig(dns_cache_config=_cache(), port_value=port)
    return listener_wire.Filter(name=_SNI_FILTER, typed_config=messages.pack(config))


def _cache() -> wire.DnsCacheConfig:
    return wire.DnsCacheConfig(name=_CACHE, dns_lookup_family=cluster_wire.Cluster.V4_ONLY)
