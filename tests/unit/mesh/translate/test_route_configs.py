"""Virtual hosts of sidecars."""

from __future__ import annotations

from tests.golden.translate import worlds

from bookmesh.mesh.registry import services
from bookmesh.mesh.registry.protocols import Protocol
from bookmesh.mesh.translate import filters, naming, route_configs
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import route


def domains(namespace: str, **fields: object) -> list[str]:
    scope = scopes.build_scope(worlds.build([], {}).snapshot, namespace=namespace, is_router=False, labels={})
    service = services.Service(hostname="web.shop.svc.cluster.local", name="web", namespace="shop", **fields)
    return route_configs.domains_of(service, scope)


def test_service_answers_to_every_name_that_dns_completes() -> None:
    everywhere = ["web.shop.svc.cluster.local", "web.shop.svc.cluster.local.", "web.shop.svc", "web.shop"]
    assert domains("shop", address="10.96.0.1") == [*everywhere, "web", "10.96.0.1"]
    assert domains("other", address="10.96.0.1") == [*everywhere, "10.96.0.1"]


def test_pods_of_a_headless_service_have_names_below_it() -> None:
    found = domains("shop", is_headless=True)
    assert "*.web.shop.svc.cluster.local" in found
    assert "*.web" in found


def test_http_is_announced_on_undeclared_ports_only() -> None:
    def announced(protocol: Protocol) -> bool:
        host = route.VirtualHost()
        scope = scopes.build_scope(
            worlds.build([], {}).snapshot, namespace="shop", is_router=False, labels={}
        )
        route_configs.announce_http(host, [services.ServicePort("p", 80, protocol, 80)], scope)
        return filters.ALPN_FILTER in host.typed_per_filter_config

    assert announced(Protocol.AUTO)
    assert not announced(Protocol.HTTP)


def test_http_is_not_announced_to_a_tls_server_outside_of_the_mesh() -> None:
    service = {
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"ports": [{"port": 443}, {"port": 444}]},
    }
    rule = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "web"},
        "spec": {
            "host": "web",
            "trafficPolicy": {"portLevelSettings": [{"port": {"number": 443}, "tls": {"mode": "SIMPLE"}}]},
        },
    }
    snapshot = worlds.build([service, rule], {}).snapshot
    scope = scopes.build_scope(snapshot, namespace="default", is_router=True, labels={})
    tls, plain = (naming.outbound_cluster("web.default.svc.cluster.local", port) for port in (443, 444))
    weighted = route.WeightedCluster(clusters=[{"name": tls}, {"name": plain}])
    host = route.VirtualHost(
        routes=[
            route.Route(route=route.RouteAction(cluster=tls)),
            route.Route(route=route.RouteAction(cluster=plain)),
            route.Route(route=route.RouteAction(weighted_clusters=weighted)),
        ]
    )
    route_configs.announce_http(host, [services.ServicePort("", 443, Protocol.AUTO, 443)], scope)
    split = host.routes[2].route.weighted_clusters.clusters
    told = [filters.ALPN_FILTER in each.typed_per_filter_config for each in (host, *host.routes, *split)]
    assert told == [False, False, True, False, False, True]
