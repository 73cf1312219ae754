"""
LoadBalancer and NodePort services on the host: listeners on loopback addresses that lead to the endpoints of pods.

A lab owns 127.97.S.0/24, where S is its slot: 127.97.S.1 to .253 are load balancers, each with the ports of its
service; 127.97.S.254 is the node, with the node ports. An ordinary user may not listen on low ports, so a
LoadBalancer service that has one then stays `<pending>` and is reached by its node ports, as on a cluster without load
balancers.

Listening happens in the host's network; connections to endpoints are made in the node's.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, NamedTuple, NoReturn

from bookmesh.base import kubernetes
from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.base.kubernetes import ApiError, Client, JsonObject
from bookmesh.kube.node import forwarding, service_directory
from bookmesh.kube.node.service_directory import Endpoint, ObjectKey, ServiceDirectory
from bookmesh.kube.sandbox import syscalls
from bookmesh.kube.sandbox.network import NodeNetwork

_log = logging.getLogger(__name__)

_CONNECT_TIMEOUT_S: Final = 5.0
_ATTEMPTS: Final = 3
_LOAD_BALANCERS: Final = range(1, 254)


class Place(NamedTuple):
    """Where something listens on the host."""

    address: str
    port: int


class Target(NamedTuple):
    """What a place leads to: one port of a service."""

    namespace: str
    name: str
    port_name: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What should listen. `addresses` gives each LoadBalancer service its address; places may have a taken port."""

    addresses: Mapping[ObjectKey, str]
    load_balancers: Mapping[ObjectKey, Mapping[Place, Target]]
    node_ports: Mapping[Place, Target]


def node_address(slot: int) -> str:
    """The address of the node of the lab in `slot` (0 to 255): where node ports answer, on the host and in pods."""
    return f"127.97.{slot}.254"


def build_plan(services: Mapping[ObjectKey, JsonObject], *, slot: int) -> Plan:
    """Decide addresses and places; a service keeps the address its status has. TCP only: a host forwards no other."""
    balanced = {
        key: one for key, one in sorted(services.items()) if one["spec"].get("type") == "LoadBalancer"
    }
    addresses: dict[ObjectKey, str] = {}
    free = {f"127.97.{slot}.{number}": None for number in _LOAD_BALANCERS}
    for key, service in balanced.items():
        for address in service_directory.load_balancer_addresses(service):
            if address in free and key not in addresses:
                addresses[key] = address
                del free[address]
    for key in balanced:
        if key not in addresses and free:
            addresses[key] = next(iter(free))
            del free[addresses[key]]
    load_balancers = {
        key: {
            Place(address, port["port"]): Target(*key, port.get("name") or "")
            for port in _tcp_ports(balanced[key])
        }
        for key, address in addresses.items()
    }
    node_ports = {
        Place(node_address(slot), port["nodePort"]): Target(*key, port.get("name") or "")
        for key, service in sorted(services.items())
        for port in _tcp_ports(service)
        if port.get("nodePort")
    }
    return Plan(addresses, load_balancers, node_ports)


class EndpointPicker:
    """Takes the ready endpoints of a service port in turn."""

    def __init__(self) -> None:
        self._endpoints: Mapping[Target, Sequence[Endpoint]] = {}
        self._next: dict[Target, int] = {}

    def set(self, endpoints: Mapping[Target, Sequence[Endpoint]]) -> None:
        """Replace all endpoints; who is next is kept."""
        self._endpoints = endpoints
        self._next = {target: turn for target, turn in self._next.items() if target in endpoints}

    def pick(self, target: Target, most: int = 1) -> list[Endpoint]:
        """Choose up to `most` different endpoints, to be tried in this order; empty when none is ready."""
        endpoints = self._endpoints.get(target, ())
        if not endpoints:
            return []
        turn = self._next.get(target, 0)
        self._next[target] = turn + 1
        return [endpoints[(turn + index) % len(endpoints)] for index in range(min(most, len(endpoints)))]


class HostPorts:
    """Keeps the listeners, and the addresses in the status of LoadBalancer services, as the directory says."""

    def __init__(self, directory: ServiceDirectory, client: Client, node: NodeNetwork, *, slot: int) -> None:
        self._directory = directory
        self._client = client
        self._node = node
        self._slot = slot
        self._picker = EndpointPicker()
        self._servers: dict[Place, tuple[Target, asyncio.Server]] = {}
        self._findings: dict[Place, Finding] = {}
        self._forwarder = forwarding.Forwarder()
        self._sockets = ThreadPoolExecutor(1, "node-sockets", initializer=self._enter_node_network)

    async def run(self) -> NoReturn:
        """Follow the directory until cancelled; then nothing listens any more and connections are reset."""
        seen = 0
        try:
            while True:
                seen = await self._directory.changed(seen)
                await self._apply(build_plan(self._directory.services, slot=self._slot))
        finally:
            for place in list(self._servers):
                self._close(place)
            self._forwarder.reset_all()
            self._sockets.shutdown(wait=False)

    def findings(self) -> list[Finding]:
        """Say which places could not be had, and why; empty when all is well."""
        return [self._findings[place] for place in sorted(self._findings)]

    def listening(self) -> list[Place]:
        """List the places that answer now."""
        return sorted(self._servers)

    async def connect(self, endpoint: Endpoint) -> socket.socket:
        """
        Connect to an endpoint from the node's network.

        Raises:
            OSError: nothing answers there (TimeoutError after 5 s).
        """
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(self._sockets, _make_socket)
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await loop.sock_connect(made, endpoint)
        except BaseException:
            made.close()
            raise
        return made

    async def _apply(self, plan: Plan) -> None:
        wanted = dict(plan.node_ports)
        for places in plan.load_balancers.values():
            wanted |= places
        for place, (target, _) in list(self._servers.items()):
            if wanted.get(place) != target:
                self._close(place)
        self._findings = {place: finding for place, finding in self._findings.items() if place in wanted}
        self._picker.set(_endpoints(wanted.values(), self._directory.slices))
        for place, target in plan.node_ports.items():
            await self._listen(place, target)
        for key, places in plan.load_balancers.items():
            complete = all([await self._listen(place, target) for place, target in places.items()])
            if not complete:  # an address on which only some ports answer would be half a truth
                for place in places:
                    self._close(place)
            await self._tell(key, plan.addresses[key] if complete and places else "")

    async def _listen(self, place: Place, target: Target) -> bool:
        if place in self._servers:
            return True
        try:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(place)
                listener.setblocking(False)
            except OSError:
                listener.close()
                raise
        except OSError as error:
            self._note(place, target, error)
            return False
        self._findings.pop(place, None)
        loop = asyncio.get_running_loop()
        protocol = self._forwarder.protocol(lambda _incoming: self._connect_any(target))
        server = await loop.create_server(protocol, sock=listener, backlog=512)
        self._servers[place] = (target, server)
        return True

    def _note(self, place: Place, target: Target, error: OSError) -> None:
        """Remember, and log once, why a place cannot be had."""
        if place in self._findings:
            return
        refused = isinstance(error, PermissionError)
        finding = Finding(
            code="BM0101" if refused else "BM0102",
            message=f"cannot listen on {place.address}:{place.port}: {error.strerror}",
            subject=ObjectRef("Service", target.name, target.namespace),
            where="spec.ports",
            hint="an ordinary user may not listen on low ports: use the service's node port"
            if refused
            else "end what listens there, or choose another port",
            severity="warning",
        )
        self._findings[place] = finding
        _log.warning("%s", finding.render())

    async def _tell(self, key: ObjectKey, address: str) -> None:
        """Write the address into the service's status, where it is not yet."""
        service = self._directory.services.get(key)
        if service is None or service_directory.load_balancer_addresses(service) == (
            [address] if address else []
        ):
            return
        status = {
            "status": {"loadBalancer": {"ingress": [{"ip": address, "ipMode": "VIP"}] if address else None}}
        }
        try:
            await self._client.patch(kubernetes.SERVICES, key[1], key[0], status, subresource="status")
        except ApiError as error:
            if error.code != 404:  # deleted meanwhile
                _log.warning("the address of service %s/%s could not be written: %s", *key, error)

    def _close(self, place: Place) -> None:
        found = self._servers.pop(place, None)
        if found is not None:
            found[1].close()

    def _enter_node_network(self) -> None:
        syscalls.setns(self._node.namespace.fd, syscalls.CLONE_NEWNET)

    async def _connect_any(self, target: Target) -> socket.socket | None:
        """Connect to an endpoint that answers; None when there is none."""
        for endpoint in self._picker.pick(target, _ATTEMPTS):
            try:
                return await self.connect(endpoint)
            except OSError as error:
                _log.debug("%s/%s: %s:%d: %s", target.namespace, target.name, *endpoint, error)
        return None


def _make_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setblocking(False)
    return made


def _endpoints(
    targets: Iterable[Target], slices: Mapping[ObjectKey, JsonObject]
) -> dict[Target, Sequence[Endpoint]]:
    grouped = service_directory.slices_by_service(slices)
    return {
        target: service_directory.ready_endpoints(
            grouped.get((target.namespace, target.name), []), target.port_name
        )
        for target in targets
    }


def _tcp_ports(service: JsonObject) -> list[JsonObject]:
    return [port for port in service["spec"].get("ports") or () if port.get("protocol", "TCP") == "TCP"]
