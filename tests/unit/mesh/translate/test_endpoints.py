"""Endpoints of clusters."""

from __future__ import annotations

from bookmesh.mesh.model import destination_rules
from bookmesh.mesh.registry import registry, workloads
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import endpoints, localities, traffic_policies
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import core


def endpoint(ip: str, zone: str = "", **labels: str) -> registry.Endpoint:
    locality = workloads.Locality("region", zone) if zone else workloads.Locality()
    workload = workloads.Workload("web", "shop", "web-1", ip, "web", labels=labels, locality=locality)
    return registry.Endpoint(ip, 8080, workload)


def build(*members: registry.Endpoint) -> wire.ClusterLoadAssignment:
    groups = localities.spread(members, None, localities.Caller())
    return endpoints.build("x", groups, MeshSettings())


def test_subset_keeps_endpoints_with_all_labels() -> None:
    found = endpoint("1.1.1.1", version="v1", app="web"), endpoint("2.2.2.2", version="v2")
    assert endpoints.in_subset(found, {"version": "v1"}) == found[:1]
    assert endpoints.in_subset(found, {}) == found
    assert endpoints.in_subset((registry.Endpoint("3.3.3.3", 80),), {"version": "v1"}) == ()


def test_localities_weigh_as_much_as_they_have_endpoints() -> None:
    found = endpoint("1.1.1.1", "a"), endpoint("2.2.2.2", "b"), endpoint("3.3.3.3", "a")
    built = build(*found)
    assert [
        (g.locality.zone, g.load_balancing_weight.value, len(g.lb_endpoints)) for g in built.endpoints
    ] == [
        ("a", 2, 2),
        ("b", 1, 1),
    ]


def test_only_endpoints_with_a_sidecar_match_the_mtls_socket() -> None:
    tls = {"security.istio.io/tlsMode": "istio"}
    built = build(endpoint("1.1.1.1", **tls), endpoint("2.2.2.2"))
    (group,) = built.endpoints
    matches = ["envoy.transport_socket_match" in e.metadata.filter_metadata for e in group.lb_endpoints]
    assert matches == [True, False]


def test_address_without_a_pod_has_no_facts() -> None:
    built = build(registry.Endpoint("1.1.1.1", 80))
    assert not built.endpoints[0].lb_endpoints[0].metadata.filter_metadata


def test_cluster_without_endpoints_has_an_empty_assignment() -> None:
    assert not endpoints.build("x", (), MeshSettings()).endpoints


def test_proxies_know_which_endpoints_are_not_ready_unless_the_ill_may_get_traffic() -> None:
    found = [registry.Endpoint("1.1.1.1", 80, health=health) for health in ("ready", "unready", "draining")]
    (group,) = build(*found).endpoints
    assert [e.health_status for e in group.lb_endpoints] == [
        core.HealthStatus.UNKNOWN,
        core.HealthStatus.UNHEALTHY,
        core.HealthStatus.DRAINING,
    ]
    for percent, healths in ((0, ["ready", "unready", "draining"]), (30, ["ready", "draining"])):
        policy = traffic_policies.EffectivePolicy(
            outlier_detection=destination_rules.OutlierDetection(min_health_percent=percent)
        )
        assert [e.health for e in endpoints.counted(found, policy)] == healths
        assert len(endpoints.counted(found, policy, prefers="zone")) == 3


def test_address_may_be_a_path() -> None:
    address = build(registry.Endpoint("unix:///run/web.sock", 0, weight=3)).endpoints[0].lb_endpoints[0]
    assert (address.endpoint.address.pipe.path, address.load_balancing_weight.value) == ("/run/web.sock", 3)
