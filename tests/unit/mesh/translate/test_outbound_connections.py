"""What a sidecar does with connections that are not HTTP."""

from __future__ import annotations

from typing import Any

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.translate import outbound_connections as outbound
from bookmesh.mesh.translate import scope
from bookmesh.mesh.wire import listener


def entry(name: str, host: str, protocol: str, **spec: Any) -> dict[str, Any]:
    port = {"number": 443, "name": "p", "protocol": protocol}
    return small.istio("ServiceEntry", name, hosts=[host], ports=[port], **spec)


def seen(*objects: dict[str, Any]) -> scope.Scope:
    snapshot = small.snapshot(*objects)
    return scope.build_scope(snapshot, namespace="default", is_router=False, labels={})


def cluster(chain: listener.FilterChain | None) -> str:
    assert chain is not None
    return str(listener.TcpProxy.FromString(chain.filters[0].typed_config.value).cluster)


def test_tls_is_told_apart_by_name_and_the_first_tcp_service_has_the_rest() -> None:
    found = outbound.for_port(
        443,
        seen(
            entry("a", "a.b", "TLS"),
            entry("c", "c.d", "TCP"),
            entry("e", "e.f", "TCP"),
            entry("h", "h.i", "HTTP"),
        ),
    )
    assert [list(chain.filter_chain_match.server_names) for chain in found.chains] == [["a.b"]]
    assert found.default is not None
    assert cluster(found.default) in ("outbound|443||c.d", "outbound|443||e.f")
    assert [ref.name for ref in found.sources] == ["a", "c", "e"]


def test_ranges_of_addresses_are_conditions() -> None:
    found = outbound.for_port(443, seen(entry("a", "a.b", "TCP", addresses=["10.0.0.0/8"])))
    (chain,) = found.chains
    assert chain.filter_chain_match.prefix_ranges[0].address_prefix == "10.0.0.0"
    assert found.default is None


def test_rule_takes_the_place_of_the_service() -> None:
    route = {"match": [{"sniHosts": ["a.b"]}], "route": [{"destination": {"host": "c.d"}}]}
    rule = small.istio("VirtualService", "r", hosts=["a.b"], tls=[route])
    found = outbound.for_port(443, seen(entry("a", "a.b", "TLS"), entry("c", "c.d", "TLS"), rule))
    assert [cluster(chain) for chain in found.chains] == ["outbound|443||c.d", "outbound|443||c.d"]
    assert [ref.kind for ref in found.sources] == ["ServiceEntry", "VirtualService", "ServiceEntry"]


def test_service_with_an_address_always_has_a_default() -> None:
    where = seen(entry("a", "a.b", "TCP", addresses=["10.0.0.1"]))
    service = where.services["a.b"]
    assert cluster(outbound.for_service(service, service.ports[0], where).default) == "outbound|443||a.b"
    assert not outbound.for_port(443, where).sources
