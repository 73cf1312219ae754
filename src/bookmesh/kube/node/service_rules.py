"""
Service addresses, as kube-proxy makes them: packet rules in the node's network that lead them to endpoints.

Cluster addresses, load balancers' addresses and node ports are translated when a connection begins, at random among
the ready endpoints; with `sessionAffinity: ClientIP` at the one where the client was before, as long as that is ready
and the time has not passed. An address of the service network that leads nowhere is refused at once. Building the
rules is pure; `ServiceRules` applies what differs, and the kernel takes each change as a whole.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NoReturn

from bookmesh.base import cluster
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import service_directory
from bookmesh.kube.node.service_directory import Endpoint, ObjectKey, ServiceDirectory
from bookmesh.kube.sandbox import network, nft, nft_transactions
from bookmesh.kube.sandbox.network import NodeNetwork

_log = logging.getLogger(__name__)

TABLE: Final = "services"
_SERVICES: Final = "services"
_HAIRPINS: Final = "hairpins"
_AFFINITY_S: Final = 10800
_WITH_MEMORY: Final = re.compile(r".+/(\d+)s")
_PROTOCOLS: Final[dict[str, nft.Protocol]] = {"TCP": "tcp", "UDP": "udp"}


class ServiceRules:
    """Keeps the rules of the node's network as the directory says."""

    def __init__(self, directory: ServiceDirectory, node: NodeNetwork, *, node_address: str) -> None:
        self._directory = directory
        self._node = node
        self._node_address = node_address
        self._installed: dict[str, nft.Chain] = {}
        self._applied = 0
        self._news = asyncio.Condition()

    async def run(self) -> NoReturn:
        """Apply every change until cancelled; changes that come meanwhile are taken together."""
        await asyncio.to_thread(self._node.namespace.run, lambda: nft_transactions.install(build_table()))
        seen = 0
        while True:
            seen = await self._directory.changed(seen)
            services, slices = self._directory.services, self._directory.slices
            chains = build_chains(services, slices, node_address=self._node_address)
            try:
                await asyncio.to_thread(self._apply, chains)
            except OSError as error:
                _log.error("the rules for services could not be changed: %s", error)
                continue
            async with self._news:
                self._applied = seen
                self._news.notify_all()

    async def applied(self, version: int) -> None:
        """Wait until the rules are those of the directory's `version`, or a later one."""
        async with self._news:
            await self._news.wait_for(lambda: self._applied >= version)

    def _apply(self, chains: Sequence[nft.Chain]) -> None:
        wanted = {chain.name: chain for chain in chains}
        changed = [chain for chain in chains if self._installed.get(chain.name) != chain]
        removed = [name for name in self._installed if name not in wanted]
        if changed or removed:
            before, after = memories_of(self._installed.values()), memories_of(chains)
            made = [memory for name, memory in after.items() if name not in before]
            gone = [name for name in before if name not in after]
            self._node.namespace.run(
                lambda: nft_transactions.replace_chains(TABLE, changed, removed, memories=made, forget=gone)
            )
            self._installed = wanted


def build_table() -> nft.Table:
    """
    Build what never changes: where packets enter, and the refusal of service addresses that were not translated.

    The refusal comes after the translation (priority -100) and spares the DNS server's address, which is a real one.
    """
    to_services = (nft.rule(nft.jump(_SERVICES)),)
    unknown = [nft.rule(nft.daddr(cluster.DNS_IP), nft.accept())]
    for addresses in (cluster.SERVICE_NETWORK, network.LOAD_BALANCER_TRANSIT):
        unknown.append(nft.rule(nft.daddr(addresses), nft.protocol("tcp"), nft.reject_with_reset()))
        unknown.append(nft.rule(nft.daddr(addresses), nft.reject()))
    return nft.Table(
        TABLE,
        (
            nft.Chain(_SERVICES),
            nft.Chain(_HAIRPINS),
            nft.Chain("prerouting", to_services, nft.Hook("nat", "prerouting", nft.DSTNAT)),
            nft.Chain("output", to_services, nft.Hook("nat", "output", nft.DSTNAT)),
            nft.Chain(
                "postrouting", (nft.rule(nft.jump(_HAIRPINS)),), nft.Hook("nat", "postrouting", nft.SRCNAT)
            ),
            nft.Chain("refusals", tuple(unknown), nft.Hook("filter", "prerouting", nft.DSTNAT + 10)),
        ),
    )


def build_chains(
    services: Mapping[ObjectKey, JsonObject], slices: Mapping[ObjectKey, JsonObject], *, node_address: str
) -> list[nft.Chain]:
    """
    Build the chains that follow from services and slices: `services`, `hairpins`, and one for each service port that
    has endpoints, named `NAMESPACE/NAME/PROTOCOL/PORT`.

    Returns:
        Every chain after those that lead to it; sorted by service, so equal input gives equal output. A port with
        affinity has a chain for each endpoint besides, and a memory of the same name (see `memories_of`).
    """
    grouped = service_directory.slices_by_service(slices)
    entrances: list[nft.Rule] = []
    ports: list[nft.Chain] = []
    addresses: set[str] = set()
    for key, service in sorted(services.items()):
        for port in service["spec"].get("ports") or ():
            protocol = _PROTOCOLS.get(port.get("protocol", "TCP"))
            endpoints = service_directory.ready_endpoints(grouped.get(key, []), port.get("name") or "")
            places = list(_places(service, port, node_address))
            if protocol is None or not endpoints or not places:
                continue
            chain = f"{key[0]}/{key[1]}/{protocol}/{port['port']}"
            if timeout_s := _affinity_s(service):
                ports += _spread_with_memory(chain, endpoints, protocol, timeout_s)
            else:
                ports.append(nft.Chain(chain, tuple(_spread(endpoints, protocol))))
            match = nft.protocol(protocol)
            entrances += [
                nft.rule(nft.daddr(address), match, nft.dport(number), nft.goto(chain))
                for address, number in places
            ]
            addresses.update(endpoint.address for endpoint in endpoints)
    hairpins = tuple(
        nft.rule(nft.saddr(address), nft.daddr(address), nft.masquerade()) for address in sorted(addresses)
    )
    return [nft.Chain(_SERVICES, tuple(entrances)), nft.Chain(_HAIRPINS, hairpins), *ports]


def _places(service: JsonObject, port: JsonObject, node_address: str) -> Iterator[tuple[str, int]]:
    """Where a service port answers: (address, port), in the node's network."""
    own_address = service_directory.cluster_ip(service)
    if own_address:
        yield own_address, port["port"]
    for address in service_directory.load_balancer_addresses(service):
        yield network.transit_address(address), port["port"]
    if port.get("nodePort"):
        yield network.transit_address(node_address), port["nodePort"]
        yield node_address, port["nodePort"]


def _spread(endpoints: Sequence[Endpoint], protocol: nft.Protocol) -> Iterator[nft.Rule]:
    """Draw one endpoint, each as likely: the first with 1/n, the second with 1/(n-1) of the rest, and so on."""
    for index, endpoint in enumerate(endpoints):
        remaining = len(endpoints) - index
        draw = [nft.one_in(remaining)] if remaining > 1 else []
        yield nft.rule(*draw, nft.protocol(protocol), nft.dnat(endpoint.address, endpoint.port))


def _affinity_s(service: JsonObject) -> int:
    """How long a client is led to the same endpoint after it was last seen, in seconds; 0 for not at all."""
    if service["spec"].get("sessionAffinity") != "ClientIP":
        return 0
    client_ip = (service["spec"].get("sessionAffinityConfig") or {}).get("clientIP") or {}
    timeout_s: int = client_ip.get("timeoutSeconds") or _AFFINITY_S
    return timeout_s


def _spread_with_memory(
    chain: str, endpoints: Sequence[Endpoint], protocol: nft.Protocol, timeout_s: int
) -> list[nft.Chain]:
    """Lead known clients to where they were, and draw for the others; each endpoint notes who comes."""
    names = [f"{chain}/{endpoint.address}:{endpoint.port}/{timeout_s}s" for endpoint in endpoints]
    known = [nft.rule(nft.known(name), nft.goto(name)) for name in names]
    drawn = []
    for index, name in enumerate(names):
        remaining = len(names) - index
        draw = [nft.one_in(remaining)] if remaining > 1 else []
        drawn.append(nft.rule(*draw, nft.goto(name)))
    places = [
        nft.Chain(
            name,
            (nft.rule(nft.note(name), nft.protocol(protocol), nft.dnat(endpoint.address, endpoint.port)),),
        )
        for name, endpoint in zip(names, endpoints, strict=True)
    ]
    return [nft.Chain(chain, (*known, *drawn)), *places]


def memories_of(chains: Iterable[nft.Chain]) -> dict[str, nft.Memory]:
    """The memories that chains refer to, by name: those of the chains that an endpoint with affinity has."""
    found = (_WITH_MEMORY.fullmatch(chain.name) for chain in chains)
    return {match[0]: nft.Memory(match[0], int(match[1])) for match in found if match}
