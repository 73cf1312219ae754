"""Names people know from Istio."""

from __future__ import annotations

from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import naming


def test_names_are_those_of_istio() -> None:
    host = "reviews.default.svc.cluster.local"
    assert naming.outbound_cluster(host, 9080) == "outbound|9080||reviews.default.svc.cluster.local"
    assert naming.outbound_cluster(host, 9080, "v1") == "outbound|9080|v1|reviews.default.svc.cluster.local"
    assert naming.outbound_sni(host, 9080, "v1") == "outbound_.9080_.v1_.reviews.default.svc.cluster.local"
    assert naming.inbound_cluster(9080) == "inbound|9080||"
    assert naming.listener("0.0.0.0", 9080) == "0.0.0.0_9080"
    assert naming.gateway_routes(8080) == "http.8080"
    assert naming.gateway_routes(8080, "10.0.0.7") == "http.8080.10.0.0.7"
    assert naming.spiffe_id("cluster.local", "default", "web") == "spiffe://cluster.local/ns/default/sa/web"


def test_parts_of_a_cluster_name() -> None:
    for parts in (("reviews.default.svc.cluster.local", 9080, "v1"), ("a.b", 80, "")):
        host, port, subset = parts
        assert naming.parse_outbound(naming.outbound_cluster(*parts)) == (port, subset, host)


def test_unknown_destinations_follow_the_policy() -> None:
    closed = "REGISTRY_ONLY"
    proxy = ("proxy.b", 3128, "")
    assert naming.catch_all_cluster(MeshSettings()) == "PassthroughCluster"
    assert naming.catch_all_cluster(MeshSettings(egress_proxy=proxy)) == "outbound|3128||proxy.b"
    assert naming.catch_all_cluster(MeshSettings(outbound_traffic_policy=closed)) == "BlackHoleCluster"
    both = MeshSettings(outbound_traffic_policy=closed, egress_proxy=proxy)
    assert naming.catch_all_cluster(both) == "BlackHoleCluster"
