"""
Cluster DNS: the names of services and pods, as the Kubernetes DNS specification 1.1 has them.

    reviews.default.svc.cluster.local        A    the service's address, or those of a headless one's endpoints
    _http._tcp.reviews.default.svc...        SRV  port and name
    10-244-1-7.default.pod.cluster.local     A    the address in the name, as CoreDNS does with `pods insecure`

Answering is a pure function over a table that is built anew when services or endpoints change. The search domains of
short names are the business of a pod's resolv.conf. What is not below the cluster's domain goes to an optional
fallback, and does not exist otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, NoReturn, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from bookmesh.base import cluster
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import service_directory
from bookmesh.kube.node.service_directory import ObjectKey, ServiceDirectory
from bookmesh.kube.sandbox.network import NodeNetwork

_log = logging.getLogger(__name__)

Fallback = Callable[[dns.message.Message], Awaitable[dns.message.Message]]

TTL_S: Final = 5
_POD_NAME: Final = re.compile(r"(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})\.[^.]+\.pod$")
_IDLE_S: Final = 10.0


class Target(NamedTuple):
    """Content of an SRV record."""

    port: int
    name: str


@dataclass(frozen=True, slots=True)
class Zone:
    """
    Every name of the cluster, lower case, relative to `domain`, without a dot at the end.

    `aliases` are ExternalName services, whose targets are absolute. `pointers` maps addresses to absolute names.
    """

    domain: str = "cluster.local"
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    targets: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    pointers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inner: frozenset[str] = frozenset()  # names that exist only because longer ones do


def build_zone(
    services: Mapping[ObjectKey, JsonObject],
    slices: Mapping[ObjectKey, JsonObject],
    *,
    domain: str = "cluster.local",
) -> Zone:
    """Collect the names of all services and of the endpoints of headless ones."""
    grouped = service_directory.slices_by_service(slices)
    addresses: dict[str, list[str]] = {}
    targets: dict[str, list[Target]] = {}
    aliases: dict[str, str] = {}
    for (namespace, name), service in sorted(services.items()):
        owner = f"{name}.{namespace}.svc"
        if service["spec"].get("type") == "ExternalName":
            aliases[owner] = str(service["spec"].get("externalName", "")).rstrip(".").lower()
            continue
        own_address = service_directory.cluster_ip(service)
        if own_address:
            addresses[owner] = [own_address]
            for port in service["spec"].get("ports") or ():
                _add_target(targets, owner, port, Target(port["port"], f"{owner}.{domain}"))
            continue
        addresses[owner] = []  # a headless service without endpoints exists, with no address
        for label, address, ports in _headless(grouped.get((namespace, name), [])):
            addresses[owner].append(address)
            addresses.setdefault(f"{label}.{owner}", []).append(address)
            for port in ports:
                _add_target(targets, owner, port, Target(port["port"], f"{label}.{owner}.{domain}"))
    pointers: dict[str, list[str]] = {}
    for owner, found in addresses.items():
        for address in found:
            pointers.setdefault(address, []).append(f"{owner}.{domain}")
    return Zone(
        domain=domain,
        addresses=_frozen(addresses),
        targets=_frozen(targets),
        aliases=aliases,
        pointers={
            address: (max(names, key=lambda one: one.count(".")),) for address, names in pointers.items()
        },
        inner=frozenset(_parents([*addresses, *targets, *aliases])) | {"", "svc", "pod"},
    )


def answer(query: dns.message.Message, zone: Zone) -> dns.message.Message | None:
    """
    Answer a query with one question.

    Returns:
        The response, or None when the name is not of this cluster. An existing name without records of the type asked
        for gives an empty answer (NOERROR), an unknown one NXDOMAIN; both with the zone's SOA.
    """
    question = query.question[0]
    name = question.name.to_text(omit_final_dot=True).lower()
    if name.endswith(".in-addr.arpa") and question.rdtype == dns.rdatatype.PTR:
        return _answer_pointer(query, zone, name)
    if name != zone.domain and not name.endswith(f".{zone.domain}"):
        return None
    relative = name[: -len(zone.domain)].rstrip(".")
    response = _response(query)
    alias = zone.aliases.get(relative)
    if alias is not None and question.rdtype != dns.rdatatype.SRV:
        _add(response.answer, question.name, dns.rdatatype.CNAME, [f"{alias}."])
        known = alias.removesuffix(f".{zone.domain}")
        if question.rdtype == dns.rdatatype.A and known in zone.addresses:
            _add(response.answer, dns.name.from_text(alias), dns.rdatatype.A, zone.addresses[known])
        return response
    records, exists = _records(zone, relative, question.rdtype, query.id)
    if records:
        _add(response.answer, question.name, question.rdtype, records)
    else:
        if not exists:
            response.set_rcode(dns.rcode.NXDOMAIN)
        _add_soa(response, zone)
    if question.rdtype == dns.rdatatype.SRV:
        for target in zone.targets.get(relative, ()):
            known = target.name.removesuffix(f".{zone.domain}")
            _add(
                response.additional,
                dns.name.from_text(target.name),
                dns.rdatatype.A,
                zone.addresses.get(known, ()),
            )
    return response


class ClusterDns:
    """The server, on UDP and TCP port 53 of the address that pods have in their resolv.conf."""

    def __init__(
        self, directory: ServiceDirectory, node: NodeNetwork, *, fallback: Fallback | None = None
    ) -> None:
        self.zone = Zone()
        self._directory = directory
        self._node = node
        self._fallback = fallback

    async def run(self, *, address: str = cluster.DNS_IP, port: int = 53) -> NoReturn:
        """Listen and answer until cancelled. Queries before the first look at the API wait in the socket."""
        udp, tcp = await asyncio.to_thread(self._listen, address, port)
        with udp, tcp, contextlib.closing(_Datagrams(self)) as datagrams:
            seen = await self._directory.changed(0)
            self.zone = build_zone(self._directory.services, self._directory.slices)
            loop = asyncio.get_running_loop()
            await loop.create_datagram_endpoint(lambda: datagrams, sock=udp.dup())
            with contextlib.closing(await asyncio.start_server(self._serve_stream, sock=tcp.dup())):
                while True:
                    seen = await self._directory.changed(seen)
                    self.zone = build_zone(self._directory.services, self._directory.slices)

    async def respond(self, data: bytes, *, limit: int) -> bytes | None:
        """Answer one message in wire format; None when it is not even a query. `limit`: bytes a response may have."""
        try:
            query = dns.message.from_wire(data)
        except (dns.exception.DNSException, ValueError):
            return _refusal(data, dns.rcode.FORMERR)
        if query.flags & dns.flags.QR:
            return None
        if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
            return _refusal(data, dns.rcode.NOTIMP)
        response = answer(query, self.zone)
        if response is None:
            response = await self._ask_fallback(query)
        elif response.answer and response.answer[-1].rdtype == dns.rdatatype.CNAME:
            await self._resolve_alias(query, response)
        if query.edns >= 0:
            limit = max(limit, min(query.payload, 4096))
        try:
            return response.to_wire(max_size=limit)
        except dns.exception.TooBig:
            short = _response(query)
            short.flags |= dns.flags.TC
            return short.to_wire()

    async def _ask_fallback(self, query: dns.message.Message) -> dns.message.Message:
        if self._fallback is None:
            response = _response(query)
            response.set_rcode(dns.rcode.NXDOMAIN)
            return response
        try:
            response = await self._fallback(query)
        except (OSError, dns.exception.DNSException) as error:
            _log.warning("the fallback did not resolve %s: %s", query.question[0].name, error)
            response = _response(query)
            response.set_rcode(dns.rcode.SERVFAIL)
        response.id = query.id
        return response

    async def _resolve_alias(self, query: dns.message.Message, response: dns.message.Message) -> None:
        """Add what the target of an ExternalName outside the cluster resolves to, as resolvers expect it."""
        wanted = query.question[0].rdtype
        if self._fallback is None or wanted == dns.rdatatype.CNAME:
            return
        target: Any = response.answer[-1][0]
        found = await self._ask_fallback(dns.message.make_query(target.target, wanted))
        response.answer.extend(found.answer)

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the queries of one TCP connection, each after its length in two bytes."""
        try:
            while True:
                async with asyncio.timeout(_IDLE_S):
                    length = int.from_bytes(await reader.readexactly(2))
                    data = await reader.readexactly(length)
                response = await self.respond(data, limit=65_535)
                if response is None:
                    return
                writer.write(len(response).to_bytes(2) + response)
                await writer.drain()
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            return
        finally:
            writer.close()

    def _listen(self, address: str, port: int) -> tuple[socket.socket, socket.socket]:
        udp = self._node.namespace.socket(socket.SOCK_DGRAM)
        tcp = self._node.namespace.socket(socket.SOCK_STREAM)
        try:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            for one in (udp, tcp):
                one.bind((address, port))
            tcp.listen(64)
        except OSError:
            udp.close()
            tcp.close()
            raise
        return udp, tcp


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: ClusterDns) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # uvloop's does not inherit from it
        if self._is_closed:
            self._transport.close()

    def close(self) -> None:
        """Take nothing any more; also before there is a transport, for who is cancelled while it is made."""
        self._is_closed = True
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        task = asyncio.ensure_future(self._respond(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _respond(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        response = await self._server.respond(data, limit=512)
        if response is not None and self._transport is not None:
            self._transport.sendto(response, addr)


def _records(zone: Zone, relative: str, kind: dns.rdatatype.RdataType, salt: int) -> tuple[list[str], bool]:
    """Find the records of a type in text form, and whether the name exists at all. `salt` varies the order."""
    pod = _POD_NAME.match(relative)
    if pod is not None:
        address = ".".join(pod.groups())
        valid = all(int(part) < 256 for part in pod.groups())
        return ([address] if valid and kind == dns.rdatatype.A else []), valid
    if relative == "dns-version":
        return (['"1.1.0"'] if kind == dns.rdatatype.TXT else []), True
    exists = relative in zone.addresses or relative in zone.targets or relative in zone.inner
    if kind == dns.rdatatype.A:
        found = zone.addresses.get(relative, ())
        start = salt % len(found) if found else 0
        return [*found[start:], *found[:start]], exists
    if kind == dns.rdatatype.SRV:
        return [f"0 100 {target.port} {target.name}." for target in zone.targets.get(relative, ())], exists
    return [], exists


def _answer_pointer(query: dns.message.Message, zone: Zone, name: str) -> dns.message.Message | None:
    address = ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))
    found = zone.pointers.get(address)
    if found is None:
        return None
    response = _response(query)
    _add(response.answer, query.question[0].name, dns.rdatatype.PTR, [f"{one}." for one in found])
    return response


def _headless(slices: list[JsonObject]) -> Iterator[tuple[str, str, list[JsonObject]]]:
    """Yield (label, address, ports) of each ready endpoint; the label is its hostname or its address with dashes."""
    for one in slices:
        for endpoint in one.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is False:
                continue
            for address in endpoint.get("addresses", ()):
                label = endpoint.get("hostname") or str(ipaddress.ip_address(address)).replace(".", "-")
                yield label, address, one.get("ports") or []


def _add_target(targets: dict[str, list[Target]], owner: str, port: JsonObject, target: Target) -> None:
    if port.get("name"):
        service = f"_{port['name']}._{port.get('protocol', 'TCP').lower()}.{owner}".lower()
        targets.setdefault(service, []).append(target)


def _parents(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        while "." in name:
            _, _, name = name.partition(".")  # noqa: PLW2901 - walking up
            yield name


def _frozen(lists: Mapping[str, list[Any]]) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(values) for name, values in lists.items()}


def _response(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= dns.flags.AA
    return response


def _add(
    section: list[dns.rrset.RRset], name: dns.name.Name, kind: dns.rdatatype.RdataType, texts: Iterable[str]
) -> None:
    records = [dns.rdata.from_text(dns.rdataclass.IN, kind, text) for text in texts]
    if records:
        section.append(dns.rrset.from_rdata_list(name, TTL_S, records))


def _add_soa(response: dns.message.Message, zone: Zone) -> None:
    text = f"ns.dns.{zone.domain}. hostmaster.{zone.domain}. 1 7200 1800 86400 {TTL_S}"
    _add(response.authority, dns.name.from_text(zone.domain), dns.rdatatype.SOA, [text])


def _refusal(data: bytes, code: dns.rcode.Rcode) -> bytes | None:
    """Refuse what cannot be answered; None for less than a header, or what is a response itself."""
    if len(data) < 12 or data[2] & 0x80:
        return None
    return data[:2] + bytes((0x80 | data[2] & 0x79, int(code))) + bytes(8)
