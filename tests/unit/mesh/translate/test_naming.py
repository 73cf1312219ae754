"""Names people know from Istio."""

from __future__ import annotations

from bookmesh.mesh.translate import naming


def test_names_are_those_of_istio() -> None:
    host = "reviews.default.svc.cluster.local"
    assert naming.outbound_cluster(host, 9080) == "outbound|9080||reviews.default.svc.cluster.local"
    assert naming.outbound_cluster(host, 9080, "v1") == "outbound|9080|v1|reviews.default.svc.cluster.local"
    assert naming.outbound_sni(host, 9080, "v1") == "outbound_.9080_.v1_.reviews.default.svc.cluster.local"
    assert naming.inbound_cluster(9080) == "inbound|9080||"
    assert naming.listener("0.0.0.0", 9080) == "0.0.0.0_9080"
    assert naming.gateway_routes(8080) == "http.8080"
    assert naming.spiffe_id("cluster.local", "default", "web") == "spiffe://cluster.local/ns/default/sa/web"
