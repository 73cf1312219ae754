from __future__ import annotations

import ipaddress

import pytest

from bookmesh.base import cluster


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (cluster.GATEWAY, cluster.POD_NETWORK),
        (cluster.API_SERVER_IP, cluster.SERVICE_NETWORK),
        (cluster.DNS_IP, cluster.SERVICE_NETWORK),
    ],
)
def test_an_address_is_of_its_network(address: str, network: str) -> None:
    assert ipaddress.IPv4Address(address) in ipaddress.IPv4Network(network)


def test_pods_and_services_have_networks_of_their_own() -> None:
    pods, services = (
        ipaddress.IPv4Network(cluster.POD_NETWORK),
        ipaddress.IPv4Network(cluster.SERVICE_NETWORK),
    )
    assert not pods.overlaps(services)
