"""Which listeners a service needs."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.registry import services
from bookmesh.mesh.registry.protocols import Protocol
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import outbound_listeners
from bookmesh.mesh.wire import listener as wire


def service(protocol: Protocol, **fields: Any) -> services.Service:
    port = services.ServicePort("p", 80, protocol, 80)
    return services.Service(hostname="h", name="web", namespace="shop", ports=(port,), **fields)


def ports(*called: services.Service) -> list[tuple[services.Service, services.ServicePort]]:
    return [(each, port) for each in called for port in each.ports]


@pytest.mark.parametrize(
    ("protocol", "fields", "addresses"),
    [
        (Protocol.HTTP, {"address": "10.96.0.1"}, ()),
        (Protocol.TCP, {"address": "10.96.0.1"}, ("10.96.0.1",)),
        (Protocol.HTTPS, {"address": "10.96.0.1"}, ("10.96.0.1",)),
        (Protocol.AUTO, {"address": "10.96.0.1"}, ("10.96.0.1",)),
        (Protocol.TCP, {"is_headless": True}, ("10.0.0.1", "10.0.0.2")),
        (Protocol.HTTP, {"is_headless": True}, ()),
        (Protocol.TCP, {}, ()),
        (Protocol.TCP, {"external_name": "a.example.com"}, ()),
    ],
)
def test_addresses_with_a_listener_of_their_own(
    protocol: Protocol, fields: dict[str, Any], addresses: tuple[str, ...]
) -> None:
    found = service(protocol, **fields)
    ips = ["10.0.0.1", "10.0.0.2", "10.0.0.1"]
    assert outbound_listeners.addresses_of(found, found.ports[0], ips) == addresses


def test_only_http_shares_a_listener() -> None:
    visible = [service(Protocol.GRPC), service(Protocol.TCP, address="10.96.0.1")]
    assert outbound_listeners.shared_http_ports(ports(*visible)) == [80]
    assert outbound_listeners.shared_http_ports(ports(*visible[1:])) == []
    assert outbound_listeners.shared_http_ports(ports(service(Protocol.AUTO, external_name="a.b"))) == [80]


def test_tcp_is_not_inspected_since_the_server_may_speak_first() -> None:
    plain = outbound_listeners.build_tcp(
        "10.96.0.1", 3306, default=wire.FilterChain(), settings=MeshSettings()
    )
    assert not plain.listener_filters
    named = wire.FilterChain(filter_chain_match=wire.FilterChainMatch(server_names=["a.b"]))
    found = outbound_listeners.build_tcp(
        "10.96.0.1", 443, chains=[named], default=wire.FilterChain(), settings=MeshSettings()
    )
    assert [f.name for f in found.listener_filters] == ["envoy.filters.listener.tls_inspector"]


def test_only_named_services_without_an_address_share_connections() -> None:
    entry = ObjectRef("ServiceEntry", "outside", "shop")
    visible = [
        service(Protocol.TLS, entry=entry),
        service(Protocol.TCP, entry=entry, address="10.0.0.0/8"),
        service(Protocol.TCP, entry=entry, address="10.1.1.1"),
        service(Protocol.TCP, entry=entry, address="10.1.1.1", more_addresses=("10.2.0.0/16",)),
        service(Protocol.HTTP, entry=entry),
        service(Protocol.TCP),
    ]
    found = [outbound_listeners.shares_connections(s, s.ports[0]) for s in visible]
    assert found == [True, True, False, True, False, False]
    assert outbound_listeners.shared_connection_ports(ports(*visible)) == {80}


def test_only_the_redirect_port_is_bound() -> None:
    virtual = outbound_listeners.build_virtual_outbound(MeshSettings())
    assert (virtual.address.socket_address.port_value, virtual.use_original_dst.value) == (15001, True)
    assert not virtual.HasField("bind_to_port")
    assert outbound_listeners.build_http(80, MeshSettings()).bind_to_port.value is False
