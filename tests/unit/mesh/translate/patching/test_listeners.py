"""Listeners, filter chains and filters."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.mesh.translate.patching.changes import change, place

from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import filters
from bookmesh.mesh.translate.patching import listeners
from bookmesh.mesh.wire import listener as wire
from bookmesh.mesh.wire import messages
from bookmesh.mesh.wire import route as route_wire

MANAGER = "envoy.filters.network.http_connection_manager"
LUA = {
    "name": "lua",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"},
}


def listener(name: str = "10.0.0.1_80", port: int = 80) -> wire.Listener:
    """One chain with HTTP for port 80, one for TLS and the name a.b, and one for everything else."""
    route_config = route_wire.RouteConfiguration(
        name="inbound|80||", virtual_hosts=[route_wire.VirtualHost(name="inbound|http|80", domains=["*"])]
    )
    manager = filters.connection_manager(
        MeshSettings(), http_filters=[filters.router(MeshSettings())], route_config=route_config
    )
    plain = wire.FilterChain(name="http", filters=[filters.http_filter(manager)])
    plain.filter_chain_match.destination_port.value = 80
    plain.filter_chain_match.application_protocols.extend(["http/1.1", "h2c"])
    secure = wire.FilterChain(name="tls", filters=[filters.tcp_proxy("x", MeshSettings())])
    secure.filter_chain_match.server_names.append("a.b")
    secure.filter_chain_match.transport_protocol = "tls"
    rest = wire.FilterChain(name="rest", filters=[filters.tcp_proxy("y", MeshSettings())])
    return wire.Listener(
        name=name,
        address=filters.address("10.0.0.1", port),
        filter_chains=[plain, secure],
        default_filter_chain=rest,
        listener_filters=[filters.tls_inspector()],
    )


def patched(*changes: dict[str, Any], name: str = "10.0.0.1_80", port: int = 80) -> wire.Listener | None:
    found = listener(name, port)
    return found if listeners.patch(found, place(*changes)) else None


def http_filters(found: wire.Listener | None) -> list[str]:
    assert found is not None
    manager = wire.HttpConnectionManager.FromString(found.filter_chains[0].filters[0].typed_config.value)
    return [http_filter.name for http_filter in manager.http_filters]


@pytest.mark.parametrize(
    ("match", "is_removed"),
    [({}, True), ({"name": "10.0.0.1_80"}, True), ({"name": "x"}, False), ({"portNumber": 81}, False)],
)
def test_listener_is_found_by_name_and_port(match: dict[str, Any], is_removed: bool) -> None:
    assert (patched(change("LISTENER", "REMOVE", listener=match)) is None) is is_removed


def test_listener_is_merged() -> None:
    found = patched(change("LISTENER", "MERGE", {"per_connection_buffer_limit_bytes": 7}))
    assert found is not None
    assert found.per_connection_buffer_limit_bytes.value == 7


@pytest.mark.parametrize(
    ("match", "left"),
    [
        ({"name": "tls"}, "http rest"),
        ({"sni": "a.b"}, "http rest"),
        ({"transportProtocol": "tls"}, "http rest"),
        ({"applicationProtocols": "h2c,http/1.1"}, "tls rest"),
        ({"applicationProtocols": "h2c,h2"}, "http tls rest"),
        ({"destinationPort": 80}, "tls rest"),
        ({"name": "rest"}, "http tls"),
        ({}, ""),
    ],
)
def test_chains_are_found_by_their_conditions(match: dict[str, Any], left: str) -> None:
    found = patched(change("FILTER_CHAIN", "REMOVE", listener={"filterChain": match}))
    assert found is not None
    chains = [chain.name for chain in found.filter_chains]
    if found.HasField("default_filter_chain"):
        chains.append(found.default_filter_chain.name)
    assert " ".join(chains) == left


def test_on_the_listener_for_all_traffic_a_port_is_that_of_a_chain() -> None:
    removal = change("FILTER_CHAIN", "REMOVE", listener={"portNumber": 80})
    found = patched(removal, name="virtualInbound", port=15006)
    assert found is not None
    assert [chain.name for chain in found.filter_chains] == ["tls"]
    assert found.HasField("default_filter_chain")


def test_chains_are_added_and_merged() -> None:
    add = change("FILTER_CHAIN", "ADD", {"name": "new", "filters": [{"name": "f"}]})
    name = {"filterChain": {"name": "tls"}}
    found = patched(add, change("FILTER_CHAIN", "MERGE", {"name": "renamed"}, listener=name))
    assert found is not None
    assert [chain.name for chain in found.filter_chains] == ["http", "renamed", "new"]


def test_a_transport_socket_of_the_same_name_is_merged_inside() -> None:
    socket = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
    name = "envoy.transport_sockets.tls"
    own = {"name": name, "typed_config": {"@type": socket, "require_client_certificate": True}}
    more = {"name": name, "typed_config": {"@type": socket, "session_timeout": "5s"}}
    first = change("FILTER_CHAIN", "MERGE", {"transport_socket": own})
    found = patched(first, change("FILTER_CHAIN", "MERGE", {"transport_socket": more}))
    assert found is not None
    value = found.filter_chains[0].transport_socket.typed_config
    from bookmesh.mesh.wire import tls

    context = tls.DownstreamTlsContext.FromString(value.value)
    assert (context.require_client_certificate.value, context.session_timeout.seconds) == (True, 5)


def test_listener_filters_are_changed_by_name() -> None:
    inspector = "envoy.filters.listener.tls_inspector"
    value = {"name": "other"}
    found = patched(change("LISTENER_FILTER", "INSERT_BEFORE", value, listener={"listenerFilter": inspector}))
    assert found is not None
    assert [f.name for f in found.listener_filters] == ["other", inspector]


def test_network_filters_are_inserted_and_merged() -> None:
    tcp = {"filterChain": {"filter": {"name": "envoy.filters.network.tcp_proxy"}}}
    kind = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    merge = {"typed_config": {"@type": kind, "max_connect_attempts": 3}}
    found = patched(
        change("NETWORK_FILTER", "INSERT_BEFORE", {"name": "first"}, listener=tcp),
        change("NETWORK_FILTER", "MERGE", merge, listener=tcp),
    )
    assert found is not None
    assert [[f.name for f in chain.filters] for chain in found.filter_chains] == [
        [MANAGER],
        ["first", "envoy.filters.network.tcp_proxy"],
    ]
    proxy = wire.TcpProxy.FromString(found.filter_chains[1].filters[1].typed_config.value)
    assert (proxy.cluster, proxy.max_connect_attempts.value) == ("x", 3)


def test_http_filters_are_put_before_the_router() -> None:
    inside = {"name": MANAGER, "subFilter": {"name": "envoy.filters.http.router"}}
    router = {"filterChain": {"filter": inside}}
    anywhere = {"filterChain": {"filter": {"name": MANAGER}}}
    for match in (router, anywhere):
        found = patched(change("HTTP_FILTER", "INSERT_BEFORE", LUA, listener=match))
        assert http_filters(found) == ["lua", "envoy.filters.http.router"]
    assert http_filters(patched(change("HTTP_FILTER", "REMOVE", listener=router))) == []


def test_http_filters_are_merged() -> None:
    kind = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    inside = {"name": MANAGER, "subFilter": {"name": "envoy.filters.http.router"}}
    merge = {"typed_config": {"@type": kind, "suppress_envoy_headers": True}}
    found = patched(change("HTTP_FILTER", "MERGE", merge, listener={"filterChain": {"filter": inside}}))
    assert found is not None
    manager = wire.HttpConnectionManager.FromString(found.filter_chains[0].filters[0].typed_config.value)
    assert wire.Router.FromString(manager.http_filters[0].typed_config.value).suppress_envoy_headers


def test_routes_inside_a_listener_are_changed_too() -> None:
    vhost = {"vhost": {"name": "inbound|http|80"}}
    merge = change("VIRTUAL_HOST", "MERGE", {"request_headers_to_remove": ["x"]}, routeConfiguration=vhost)
    found = patched(merge)
    assert found is not None
    manager = wire.HttpConnectionManager.FromString(found.filter_chains[0].filters[0].typed_config.value)
    assert list(manager.route_config.virtual_hosts[0].request_headers_to_remove) == ["x"]


def test_without_changes_a_listener_stays_as_it_is() -> None:
    assert patched() == listener()
    packed = messages.pack(listener())
    assert wire.Listener.FromString(packed.value) == listener()
