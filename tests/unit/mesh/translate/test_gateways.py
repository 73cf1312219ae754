"""Listeners and routes of gateways."""

from __future__ import annotations

from typing import Any

from tests.golden.translate import worlds

from bookmesh.mesh.wire import type_urls

GATEWAY_POD = {
    "kind": "Pod",
    "metadata": {"name": "gw", "labels": {"istio": "gw"}},
    "spec": {"containers": [{"name": "istio-proxy", "args": ["proxy", "router"]}]},
    "status": {"podIP": "10.0.0.1"},
}


def hosts(*objects: dict[str, Any]) -> dict[str, list[str]]:
    """Domains, each with the names of its routes, on port 80."""
    world = worlds.build([GATEWAY_POD, *objects], {"proxy": "default/gw"})
    config = world.resources().messages(type_urls.ROUTES)["http.80"]
    return {host.domains[0]: [route.name for route in host.routes] for host in config.virtual_hosts}


def gateway(name: str, *served: str) -> dict[str, Any]:
    server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": list(served)}
    about = {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": name}}
    return {**about, "spec": {"selector": {"istio": "gw"}, "servers": [server]}}


def rule(
    name: str, host: str, *routes: dict[str, Any], gateways: tuple[str, ...] = ("main",)
) -> dict[str, Any]:
    about = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name}}
    return {**about, "spec": {"hosts": [host], "gateways": list(gateways), "http": list(routes)}}


ALL = {"name": "all", "redirect": {"uri": "/"}}
SOME = {"name": "some", "match": [{"uri": {"prefix": "/some"}}], "redirect": {"uri": "/"}}


def test_gateway_without_routes_answers_404_for_all() -> None:
    assert hosts(gateway("main", "*")) == {"*": []}


def test_routes_for_one_host_are_joined_with_those_that_take_everything_at_the_end() -> None:
    found = hosts(gateway("main", "*"), rule("a", "a.example.com", ALL), rule("b", "a.example.com", SOME))
    assert found == {"a.example.com": ["some", "all"]}


def test_route_of_two_gateways_on_one_port_is_there_once() -> None:
    both = rule("a", "a.example.com", SOME, gateways=("main", "second"))
    found = hosts(gateway("main", "*"), gateway("second", "a.example.com"), both)
    assert found == {"a.example.com": ["some"]}


def test_host_no_server_has_is_not_routed() -> None:
    assert hosts(gateway("main", "b.example.com"), rule("a", "a.example.com", ALL)) == {"*": []}


def test_a_gateway_may_say_itself_what_stands_before_it() -> None:
    annotations = {"proxy.istio.io/config": "gatewayTopology: {proxyProtocol: {}}"}
    behind = {
        **GATEWAY_POD,
        "metadata": {**GATEWAY_POD["metadata"], "name": "other", "annotations": annotations},
    }
    objects = [GATEWAY_POD, behind, gateway("main", "*"), rule("all", "*", ALL)]
    found = {}
    for name in ("gw", "other"):
        listeners = (
            worlds.build([*map(dict, objects)], {"proxy": f"default/{name}"})
            .resources()
            .messages(type_urls.LISTENER)
        )
        (listener,) = listeners.values()
        found[name] = [each.name for each in listener.listener_filters]
    assert found == {"gw": [], "other": ["envoy.filters.listener.proxy_protocol"]}
