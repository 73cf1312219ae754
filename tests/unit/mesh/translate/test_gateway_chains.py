"""Filter chains of one port of a gateway."""

from __future__ import annotations

from typing import Any

from tests.golden.translate import worlds
from tests.unit.mesh.translate.test_gateways import GATEWAY_POD

from bookmesh.mesh.snapshot import gateways
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import gateway_chains, scope
from bookmesh.mesh.wire import listener

SIMPLE = {"mode": "SIMPLE", "credentialName": "web"}


def server(protocol: str, *hosts: str, name: str = "s", **tls: Any) -> dict[str, Any]:
    found = {"port": {"number": 443, "name": name, "protocol": protocol}, "hosts": list(hosts)}
    return found | ({"tls": tls} if tls or protocol in ("TLS", "HTTPS") else {})


def build(*servers: dict[str, Any], secrets: bool = True, **rule: Any) -> gateway_chains.PortChains:
    about: dict[str, Any] = {"apiVersion": "networking.istio.io/v1", "metadata": {"name": "main"}}
    objects = [
        GATEWAY_POD,
        about | {"kind": "Gateway", "spec": {"selector": {"istio": "gw"}, "servers": [*servers]}},
    ]
    if rule:
        spec = {"hosts": ["*"], "gateways": ["main"], **rule}
        objects.append(about | {"kind": "VirtualService", "metadata": {"name": "r"}, "spec": spec})
    secret = {"secrets": {"default/web": "pair"}} if secrets else {}
    world = worlds.build(objects, {"proxy": "default/gw", **secret})
    assert world.proxy is not None
    seen = scope.build_scope(world.snapshot, namespace="default", is_router=True, labels={})
    (port,) = world.snapshot.gateway_ports(world.proxy)
    return gateway_chains.build(port, seen)


def names(built: gateway_chains.PortChains) -> list[list[str]]:
    return [list(chain.filter_chain_match.server_names) for chain in built.chains]


def test_listener_is_at_the_edge() -> None:
    config = build(server("HTTP", "*")).chains[0].filters[0].typed_config
    manager = listener.HttpConnectionManager.FromString(config.value)
    assert manager.use_remote_address.value is True
    assert manager.server_name == "istio-envoy"
    assert manager.forward_client_cert_details == listener.HttpConnectionManager.SANITIZE_SET


def test_server_without_its_secret_is_left_out() -> None:
    built = build(server("HTTPS", "a.b", **SIMPLE), secrets=False)
    assert (built.chains, built.tables) == ([], [])


def test_server_is_left_out_whole_for_a_host_of_one_before_it() -> None:
    one, other = server("HTTPS", "a.b", "c.d", **SIMPLE), server("HTTPS", "c.d", "e.f", name="t", **SIMPLE)
    built = build(one, other)
    assert names(built) == [["a.b", "c.d"]]
    assert [table.name for table in built.tables] == ["https.443.s.main.default"]


def test_first_server_has_a_name_that_two_want_for_other_namespaces() -> None:
    one, other = server("HTTPS", "a.b", "c.d", **SIMPLE), server("HTTPS", "x/c.d", "e.f", name="t", **SIMPLE)
    built = build(one, other)
    assert names(built) == [["a.b", "c.d"], ["e.f"]]
    assert [table.name for table in built.tables] == ["https.443.s.main.default", "https.443.t.main.default"]


def test_all_hosts_are_no_server_name() -> None:
    assert names(build(server("HTTPS", "*", **SIMPLE))) == [[]]


def test_tls_passes_through_by_the_names_of_rule_and_server() -> None:
    route = {"match": [{"sniHosts": ["a.b", "x.y"]}], "route": [{"destination": {"host": "web"}}]}
    assert names(build(server("TLS", "a.b", mode="PASSTHROUGH"), tls=[route])) == [["a.b"]]


def test_tcp_needs_a_route_and_gives_way_to_http() -> None:
    route = {"route": [{"destination": {"host": "web"}}]}
    assert not build(server("TCP", "*")).chains
    assert len(build(server("TCP", "*"), tcp=[route]).chains) == 1
    assert [t.name for t in build(server("HTTP", "*"), server("TCP", "*"), tcp=[route]).tables] == [
        "http.443"
    ]


def test_name_is_looked_for_only_where_it_matters() -> None:
    port = gateways.GatewayPort(8080, 80, ())
    plain = gateway_chains.build_listener(port, build(server("HTTP", "*")), MeshSettings())
    secure = gateway_chains.build_listener(port, build(server("HTTPS", "a.b", **SIMPLE)), MeshSettings())
    assert (len(plain.listener_filters), len(secure.listener_filters)) == (0, 1)


def test_address_of_a_server_is_listened_on() -> None:
    bound = gateways.GatewayPort(8080, 80, (), bind="10.0.0.7")
    listener = gateway_chains.build_listener(bound, build(server("HTTP", "*")), MeshSettings())
    assert (listener.name, listener.address.socket_address.address) == ("10.0.0.7_8080", "10.0.0.7")
