"""Packet rules from services and slices."""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import service_rules
from bookmesh.kube.sandbox import nft

NODE = "127.97.0.254"


def service(name: str, address: str, *ports: JsonObject, **fields: Any) -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"clusterIP": address, "ports": list(ports)},
        **fields,
    }


def endpoint_slice(name: str, *addresses: str, ports: list[JsonObject] | None = None) -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": ports or [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in addresses],
    }


def texts(services: list[JsonObject], slices: list[JsonObject]) -> dict[str, list[str]]:
    """The chains that were built, with the text of each rule."""

    def by_key(objects: list[JsonObject]) -> dict[tuple[str, str], JsonObject]:
        return {("default", one["metadata"]["name"]): one for one in objects}

    chains = service_rules.build_chains(by_key(services), by_key(slices), node_address=NODE)
    return {chain.name: [rule.text for rule in chain.rules] for chain in chains}


HTTP: JsonObject = {"name": "http", "port": 80, "protocol": "TCP"}


def test_a_service_leads_to_its_endpoints_each_as_likely() -> None:
    built = texts(
        [service("web", "10.96.0.7", HTTP)], [endpoint_slice("web", "10.244.0.3", "10.244.0.2", "10.244.0.4")]
    )
    assert built["services"] == ["ip daddr 10.96.0.7 meta l4proto tcp th dport 80 goto default/web/tcp/80"]
    assert built["default/web/tcp/80"] == [
        "numgen random mod 3 0 meta l4proto tcp dnat to 10.244.0.2:8080",
        "numgen random mod 2 0 meta l4proto tcp dnat to 10.244.0.3:8080",
        "meta l4proto tcp dnat to 10.244.0.4:8080",
    ]


def test_an_endpoint_that_reaches_itself_goes_through_the_node() -> None:
    built = texts([service("web", "10.96.0.7", HTTP)], [endpoint_slice("web", "10.244.0.2")])
    assert built["hairpins"] == ["ip saddr 10.244.0.2 ip daddr 10.244.0.2 masquerade"]


def test_a_service_without_endpoints_has_no_rules_and_is_refused_with_the_rest() -> None:
    assert texts([service("web", "10.96.0.7", HTTP)], []) == {"services": [], "hairpins": []}
    refusals = next(chain for chain in service_rules.build_table().chains if chain.name == "refusals")
    assert [rule.text for rule in refusals.rules][:2] == [
        "ip daddr 10.96.0.10 accept",
        "ip daddr 10.96.0.0/16 meta l4proto tcp reject with tcp reset",
    ]


def test_a_headless_service_has_no_rules() -> None:
    assert texts([service("web", "None", HTTP)], [endpoint_slice("web", "10.244.0.2")])["services"] == []


def test_node_ports_and_load_balancer_addresses_lead_there_too() -> None:
    status = {"loadBalancer": {"ingress": [{"ip": "127.97.0.1"}]}}
    balanced = service("web", "10.96.0.7", HTTP | {"nodePort": 30080}, status=status)
    built = texts([balanced], [endpoint_slice("web", "10.244.0.2")])
    assert [text.split(" goto")[0] for text in built["services"]] == [
        "ip daddr 10.96.0.7 meta l4proto tcp th dport 80",
        "ip daddr 10.97.0.1 meta l4proto tcp th dport 80",
        "ip daddr 10.97.0.254 meta l4proto tcp th dport 30080",
        "ip daddr 127.97.0.254 meta l4proto tcp th dport 30080",
    ]


def test_udp_and_tcp_of_one_number_are_two_chains() -> None:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    slices = endpoint_slice("dns", "10.244.0.2", ports=[port | {"port": 5353} for port in ports])
    built = texts([service("dns", "10.96.0.9", *ports)], [slices])
    assert set(built) == {"services", "hairpins", "default/dns/udp/53", "default/dns/tcp/53"}
    assert "meta l4proto udp" in built["default/dns/udp/53"][0]


def test_equal_input_gives_equal_chains() -> None:
    services = {("default", "web"): service("web", "10.96.0.7", HTTP)}
    slices = {("default", "web"): endpoint_slice("web", "10.244.0.2")}
    first = service_rules.build_chains(services, slices, node_address=NODE)
    assert first == service_rules.build_chains(services, slices, node_address=NODE)


def test_with_affinity_a_known_client_comes_back_and_a_new_one_is_noted() -> None:
    sticky = service("web", "10.96.0.7", HTTP)
    sticky["spec"] |= {
        "sessionAffinity": "ClientIP",
        "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
    }
    built = texts([sticky], [endpoint_slice("web", "10.244.0.2", "10.244.0.3")])
    first, second = (f"default/web/tcp/80/10.244.0.{number}:8080/60s" for number in (2, 3))
    assert built["default/web/tcp/80"] == [
        f"ip saddr @{first} goto {first}",
        f"ip saddr @{second} goto {second}",
        f"numgen random mod 2 0 goto {first}",
        f"goto {second}",
    ]
    assert built[first] == [f"update @{first} {{ ip saddr }} meta l4proto tcp dnat to 10.244.0.2:8080"]
    memories = service_rules.memories_of(nft.Chain(name) for name in built)
    assert memories == {name: nft.Memory(name, 60) for name in (first, second)}


def test_an_affinity_lasts_three_hours_unless_it_says_otherwise() -> None:
    sticky = service("web", "10.96.0.7", HTTP)
    sticky["spec"]["sessionAffinity"] = "ClientIP"
    built = texts([sticky], [endpoint_slice("web", "10.244.0.2")])
    assert "default/web/tcp/80/10.244.0.2:8080/10800s" in built
