"""Which addresses and ports a lab has on the host."""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import host_ports
from bookmesh.kube.node.host_ports import EndpointPicker, Place, Target
from bookmesh.kube.node.service_directory import Endpoint, ObjectKey

HTTP: JsonObject = {"name": "http", "port": 80, "nodePort": 30080}


def balanced(name: str, *ports: JsonObject, address: str = "") -> JsonObject:
    status: dict[str, Any] = {"loadBalancer": {"ingress": [{"ip": address}]}} if address else {}
    metadata = {"name": name, "namespace": "default"}
    return {"metadata": metadata, "spec": {"type": "LoadBalancer", "ports": list(ports)}, "status": status}


def plan(*services: JsonObject, slot: int = 3) -> host_ports.Plan:
    keyed: dict[ObjectKey, JsonObject] = {("default", one["metadata"]["name"]): one for one in services}
    return host_ports.build_plan(keyed, slot=slot)


def test_a_load_balancer_gets_an_address_of_the_slot_with_the_services_ports() -> None:
    target = Target("default", "gateway", "http")
    made = plan(balanced("gateway", HTTP))
    assert made.addresses == {("default", "gateway"): "127.97.3.1"}
    assert made.load_balancers == {("default", "gateway"): {Place("127.97.3.1", 80): target}}
    assert made.node_ports == {Place("127.97.3.254", 30080): target}


def test_a_service_keeps_its_address_and_others_get_free_ones() -> None:
    made = plan(balanced("a", HTTP), balanced("b", HTTP, address="127.97.3.1"), balanced("c", HTTP))
    assert made.addresses == {
        ("default", "a"): "127.97.3.2",
        ("default", "b"): "127.97.3.1",
        ("default", "c"): "127.97.3.3",
    }


def test_an_address_of_another_slot_is_not_kept() -> None:
    assert plan(balanced("a", HTTP, address="127.97.9.1")).addresses == {("default", "a"): "127.97.3.1"}


def test_the_nodes_address_is_never_a_load_balancers() -> None:
    made = plan(*(balanced(f"s{number:03}", HTTP) for number in range(300)))
    assert len(made.addresses) == 253
    assert host_ports.node_address(3) not in made.addresses.values()


def test_a_node_port_service_has_no_address_of_its_own() -> None:
    service = balanced("web", HTTP)
    service["spec"]["type"] = "NodePort"
    made = plan(service)
    assert made.addresses == {}
    assert list(made.node_ports) == [Place("127.97.3.254", 30080)]


def test_only_tcp_is_forwarded_from_the_host() -> None:
    udp: JsonObject = {"name": "dns", "port": 53, "nodePort": 30053, "protocol": "UDP"}
    assert plan(balanced("dns", udp)).node_ports == {}


def test_endpoints_are_taken_in_turn() -> None:
    target = Target("default", "web", "http")
    one, two = Endpoint("10.0.0.1", 80), Endpoint("10.0.0.2", 80)
    picker = EndpointPicker()
    assert picker.pick(target) == []
    picker.set({target: [one, two]})
    assert [picker.pick(target)[0] for _ in range(3)] == [one, two, one]
    assert picker.pick(target, most=5) == [two, one]


def test_the_turn_survives_a_change_of_endpoints() -> None:
    target = Target("default", "web", "http")
    one, two = Endpoint("10.0.0.1", 80), Endpoint("10.0.0.2", 80)
    picker = EndpointPicker()
    picker.set({target: [one, two]})
    picker.pick(target)
    picker.set({target: [one, two]})
    assert picker.pick(target) == [two]
