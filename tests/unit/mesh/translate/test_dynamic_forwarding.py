"""Filters and clusters that find hosts when they are called."""

from __future__ import annotations

from bookmesh.mesh.translate import dynamic_forwarding
from bookmesh.mesh.wire import cluster as cluster_wire
from bookmesh.mesh.wire import dynamic_forwarding as wire


def test_filters_and_clusters_share_a_cache() -> None:
    cluster = cluster_wire.Cluster()
    dynamic_forwarding.apply(cluster)
    config = wire.ClusterConfig.FromString(cluster.cluster_type.typed_config.value)
    by_host = wire.HttpFilterConfig.FromString(dynamic_forwarding.http_filter().typed_config.value)
    by_name = wire.SniFilterConfig.FromString(dynamic_forwarding.sni_filter(443).typed_config.value)
    assert config.dns_cache_config == by_host.dns_cache_config == by_name.dns_cache_config
    assert by_name.port_value == 443


def test_a_cluster_brings_its_own_way_to_choose() -> None:
    cluster = cluster_wire.Cluster()
    dynamic_forwarding.apply(cluster)
    assert cluster.cluster_type.name == "envoy.clusters.dynamic_forward_proxy"
    assert cluster.lb_policy == cluster_wire.Cluster.CLUSTER_PROVIDED
