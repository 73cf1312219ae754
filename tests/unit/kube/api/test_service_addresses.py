"""Cluster IPs and node ports."""

from __future__ import annotations

import pytest

from bookmesh.base import cluster
from bookmesh.kube.api import service_addresses


def test_addresses_are_picked_above_the_static_band() -> None:
    assert service_addresses.pick_address(set()) == "10.96.1.1"
    assert service_addresses.pick_address({"10.96.1.1"}) == "10.96.1.2"


def test_reserved_addresses_are_never_picked() -> None:
    everything = {f"10.96.{high}.{low}" for high in range(256) for low in range(256)}
    reserved = {cluster.API_SERVER_IP, cluster.DNS_IP}
    with pytest.raises(service_addresses.ExhaustedError):
        service_addresses.pick_address(everything - reserved)
    assert service_addresses.pick_address(everything - {"10.96.0.2"}) == "10.96.0.2"


@pytest.mark.parametrize("address", ["10.95.0.1", "nonsense", "10.96.0.9"])
def test_address_that_cannot_be_had(address: str) -> None:
    with pytest.raises(service_addresses.UnavailableError):
        service_addresses.check_address(address, {"10.96.0.9"})


def test_reserved_address_can_be_asked_for() -> None:
    service_addresses.check_address(cluster.API_SERVER_IP, set())


def test_node_ports_differ_by_protocol() -> None:
    assert service_addresses.pick_node_port("TCP", {("UDP", 30000)}) == 30000
    assert service_addresses.pick_node_port("TCP", {("TCP", 30000)}) == 30001
    with pytest.raises(service_addresses.ExhaustedError):
        service_addresses.pick_node_port("TCP", {("TCP", port) for port in service_addresses.NODE_PORTS})


def test_node_port_that_cannot_be_had() -> None:
    for port in (80, 30000):
        with pytest.raises(service_addresses.UnavailableError):
            service_addresses.check_node_port("TCP", port, {("TCP", 30000)})


def test_what_services_hold() -> None:
    services = [
        {
            "spec": {
                "clusterIP": "10.96.1.1",
                "clusterIPs": ["10.96.1.1"],
                "ports": [{"port": 1, "nodePort": 30001}],
            }
        },
        {"spec": {"clusterIP": "None"}},
        {},
    ]
    assert service_addresses.used_addresses(services) == {"10.96.1.1"}
    assert service_addresses.used_node_ports(services) == {("TCP", 30001)}
