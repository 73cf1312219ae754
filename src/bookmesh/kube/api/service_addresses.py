"""
Cluster IPs and node ports: handed out from what the store holds, so there is no allocation table to go stale.

Cluster IPs come from 10.96.0.0/16. The API server's (10.96.0.1) and the cluster DNS's (10.96.0.10) are never picked;
they can be asked for. Node ports come from 30000-32767.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Set
from typing import Final

from bookmesh.base import cluster
from bookmesh.base.kubernetes import JsonObject

SERVICE_NETWORK: Final = ipaddress.IPv4Network(cluster.SERVICE_NETWORK)
NODE_PORTS: Final = range(30000, 32768)

# Addresses are picked above the first 256, which stay for those who ask for a certain one.
_STATIC_BAND: Final = 256


class ExhaustedError(Exception):
    """Every address or port is taken."""


class UnavailableError(Exception):
    """A wanted address or port is taken or out of range; the message says which."""


def used_addresses(services: Iterable[JsonObject]) -> set[str]:
    """Cluster IPs that `services` hold; headless ones hold none."""
    found: set[str] = set()
    for service in services:
        spec = service.get("spec") or {}
        found.update(spec.get("clusterIPs") or [])
        found.add(spec.get("clusterIP") or "")
    return found - {"", "None"}


def used_node_ports(services: Iterable[JsonObject]) -> set[tuple[str, int]]:
    """(protocol, port) pairs that `services` hold on the node."""
    return {
        (port.get("protocol", "TCP"), port["nodePort"])
        for service in services
        for port in (service.get("spec") or {}).get("ports") or []
        if port.get("nodePort")
    }


def pick_address(used: Set[str]) -> str:
    """The lowest free cluster IP; raises `ExhaustedError`."""
    reserved = {cluster.API_SERVER_IP, cluster.DNS_IP}
    first, last = int(SERVICE_NETWORK.network_address) + 1, int(SERVICE_NETWORK.broadcast_address)
    for number in itertools.chain(range(first + _STATIC_BAND, last), range(first, first + _STATIC_BAND)):
        address = str(ipaddress.IPv4Address(number))
        if address not in used and address not in reserved:
            return address
    raise ExhaustedError(f"no cluster IP in {SERVICE_NETWORK} is free")


def check_address(address: str, used: Set[str]) -> None:
    """Raise `UnavailableError` unless `address` is one of ours and free."""
    try:
        is_ours = ipaddress.ip_address(address) in SERVICE_NETWORK
    except ValueError:
        raise UnavailableError("must be empty, 'None', or a valid IP address") from None
    if not is_ours:
        raise UnavailableError(
            f"failed to allocate IP {address}: the provided IP is not in the valid range. "
            f"The range of valid IPs is {SERVICE_NETWORK}"
        )
    if address in used:
        raise UnavailableError(f"failed to allocate IP {address}: provided IP is already allocated")


def pick_node_port(protocol: str, used: Set[tuple[str, int]]) -> int:
    """The lowest free node port; raises `ExhaustedError`."""
    for port in NODE_PORTS:
        if (protocol, port) not in used:
            return port
    raise ExhaustedError(f"no node port in {NODE_PORTS.start}-{NODE_PORTS.stop - 1} is free")


def check_node_port(protocol: str, port: int, used: Set[tuple[str, int]]) -> None:
    """Raise `UnavailableError` unless `port` is in range and free."""
    if port not in NODE_PORTS:
        raise UnavailableError(
            f"provided port is not in the valid range. The range of valid ports is "
            f"{NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
        )
    if (protocol, port) in used:
        raise UnavailableError("provided port is already allocated")
