"""What the services of a port share."""

from __future__ import annotations

from typing import Any

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.translate import caching, outbound_resources, scope


def entry(name: str, port: int, protocol: str, **spec: Any) -> dict[str, Any]:
    ports = [{"number": port, "name": "p", "protocol": protocol}]
    return small.istio("ServiceEntry", name, hosts=[f"{name}.example.com"], ports=ports, **spec)


def builder(*objects: dict[str, Any]) -> outbound_resources.Builder:
    snapshot = small.snapshot(*objects)
    seen = scope.build_scope(snapshot, namespace="default", is_router=False, labels={})
    return outbound_resources.Builder(seen, caching.Cache())


def test_a_service_with_an_address_shares_no_listener() -> None:
    own = builder(entry("a", 7000, "TCP", addresses=["240.0.0.1"]))
    assert own.shared_listener(7000) is None
    assert own.shared_ports() == []
    shared = builder(entry("a", 7000, "TCP"), entry("b", 7000, "TCP", addresses=["240.0.0.1"]))
    listener = shared.shared_listener(7000)
    assert listener is not None
    assert listener.name == "0.0.0.0_7000"
    assert shared.shared_ports() == [7000]
    assert not shared.has_http(7000)


def test_a_port_of_the_proxy_itself_is_not_shared() -> None:
    found = builder(entry("a", 15001, "HTTP"), entry("b", 80, "HTTP"))
    assert found.shared_listener(15001) is None
    assert found.shared_ports() == [80]
    assert found.has_http(80)
