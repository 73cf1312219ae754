"""Routes of connections."""

from __future__ import annotations

from typing import Any

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.translate import connections, routes, scope
from bookmesh.mesh.wire import listener


def rule(gateway: str = "mesh", **spec: Any) -> tuple[Any, routes.Place]:
    objects = (small.service("web"), small.istio("VirtualService", **{"hosts": ["web"], **spec}))
    snapshot = small.snapshot(*objects)
    seen = scope.build_scope(snapshot, namespace="default", is_router=False, labels={"app": "a"})
    return snapshot.routings[0], routes.Place(seen, 80, gateway)


def to(*weights: int) -> list[dict[str, Any]]:
    return [{"destination": {"host": "web", "subset": f"v{i}"}, "weight": w} for i, w in enumerate(weights)]


def test_nothing_follows_a_route_that_takes_everything() -> None:
    found = connections.build_tcp_routes(*rule(tcp=[{"route": to(1)}, {"route": to(2)}]))
    assert [route.targets for route in found] == [(("outbound|80|v0|web.default.svc.cluster.local", 1),)]


def test_destinations_without_weight_get_nothing_unless_they_are_alone() -> None:
    (split,) = connections.build_tcp_routes(*rule(tcp=[{"route": to(0, 3, 1)}]))
    (alone,) = connections.build_tcp_routes(*rule(tcp=[{"route": to(0)}]))
    assert [weight for _, weight in split.targets] == [3, 1]
    assert len(alone.targets) == 1


def test_port_labels_and_gateways_sort_out() -> None:
    matches = [
        {"port": 81},
        {"sourceLabels": {"app": "b"}},
        {"gateways": ["edge"]},
        {"sourceNamespace": "other"},
        {"port": 80, "sourceLabels": {"app": "a"}, "sourceSubnet": "10.0.0.0/8"},
    ]
    found = connections.build_tcp_routes(*rule(tcp=[{"match": matches, "route": to(1)}]))
    assert [route.sources for route in found] == [("10.0.0.0/8",)]


def test_gateway_in_a_condition_counts_in_place_of_labels() -> None:
    match = {"gateways": ["edge"], "sourceLabels": {"app": "b"}}
    where = rule("default/edge", gateways=["edge"], tcp=[{"match": [match], "route": to(1)}])
    assert len(connections.build_tcp_routes(*where)) == 1


def test_tls_is_told_apart_by_the_names_that_are_served() -> None:
    where = rule(tls=[{"match": [{"sniHosts": ["A.b", "c.d"]}, {"sniHosts": ["e.f"]}], "route": to(1)}])
    found = connections.build_tls_routes(*where, names_for=lambda names: [n for n in names if n == "A.b"])
    assert [route.server_names for route in found] == [("a.b",)]
    match = found[0].build_match()
    assert (list(match.server_names), match.transport_protocol) == (["a.b"], "tls")


def test_several_destinations_are_weighted_clusters() -> None:
    routing, place = rule(tcp=[{"route": to(80, 20)}])
    (route,) = connections.build_tcp_routes(routing, place)
    (filter_,) = connections.build_filters(route, place)
    proxy = listener.TcpProxy.FromString(filter_.typed_config.value)
    assert [cluster.weight for cluster in proxy.weighted_clusters.clusters] == [80, 20]
    assert proxy.stat_prefix == "it.default"


def test_address_is_a_range_of_one() -> None:
    found = connections.cidr_range("10.1.2.3")
    assert (found.address_prefix, found.prefix_len.value) == ("10.1.2.3", 32)
