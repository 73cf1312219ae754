"""Where the ingress gateway can be reached from this machine: its load balancer, else a node's port."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from bookmesh.tasks.kubectl import ClusterError, Kubectl

DEFAULT_SERVICE = "istio-system/istio-ingressgateway"


class Address(NamedTuple):
    """A host, and by the Service's port number the port at which that host has it."""

    host: str
    ports: Mapping[int, int]


class Gateway:
    """
    The ingress gateway of one run: its address is asked for once, and again after a request did not get through.

    A process for every question is what most of the time of a short task would go to.
    """

    def __init__(self, kubectl: Kubectl, service: str = DEFAULT_SERVICE) -> None:
        self._kubectl = kubectl
        self._service = service
        self._address: Address | None = None

    def address(self) -> Address:
        """
        Give the address.

        Raises:
            ClusterError: see `find`.
        """
        if self._address is None:
            self._address = find(self._kubectl, self._service)
        return self._address

    def forget(self) -> None:
        """Ask again the next time."""
        self._address = None


def find(kubectl: Kubectl, service: str = DEFAULT_SERVICE) -> Address:
    """
    Ask the cluster for the gateway's address.

    Args:
        service: NAMESPACE/NAME of the gateway's Service.

    Raises:
        ClusterError: there is no such Service, or it has no address.
    """
    namespace, _, name = service.partition("/")
    found: dict[str, Any] = json.loads(
        kubectl.must("get", "service", name, "-n", namespace, "-o", "json").stdout
    )
    ports: dict[int, Any] = {port["port"]: port for port in found["spec"]["ports"]}
    balancers = found.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    if balancers:
        host = balancers[0].get("ip") or balancers[0].get("hostname") or ""
        return Address(host, {number: number for number in ports})
    node_ports = {number: int(port["nodePort"]) for number, port in ports.items() if port.get("nodePort")}
    if not node_ports:
        raise ClusterError(f"Service {service} has neither a load balancer's address nor node ports")
    return Address(_node_address(kubectl), node_ports)


def _node_address(kubectl: Kubectl) -> str:
    nodes = json.loads(kubectl.must("get", "nodes", "-o", "json").stdout)["items"]
    by_type = {
        address["type"]: str(address["address"]) for node in nodes for address in node["status"]["addresses"]
    }
    for kind in ("ExternalIP", "InternalIP"):
        if by_type.get(kind):
            return by_type[kind]
    raise ClusterError("no node has an address")
