"""The node's network with real sockets: pods, service addresses, load balancers, DNS and ports on the host."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import dns.message
import pytest
from tests.lab import inside
from tests.local_ports import free_port

from bookmesh.base import cluster, kubernetes
from bookmesh.base.kubernetes import JsonObject, ObjectList, Resource, WatchEvent
from bookmesh.kube.node import cluster_dns, host_ports, service_rules
from bookmesh.kube.node.service_directory import ServiceDirectory
from bookmesh.kube.sandbox import namespaces, network, nft, nft_transactions
from bookmesh.kube.sandbox.forking import ForkServer
from bookmesh.kube.sandbox.namespaces import NetworkNamespace
from bookmesh.kube.sandbox.network import NodeNetwork

# The addresses of no lab with a name, nor of tests that another user runs meanwhile.
SLOT = 200 + 2 * (os.getpid() % 25) + (os.geteuid() == 0)
NODE_ADDRESS = host_ports.node_address(SLOT)
MARK = 0x539


class FakeClient:
    """An API with services and slices only: what a test puts is listed, and watched from then on."""

    def __init__(self) -> None:
        self.objects: dict[tuple[Resource, str], JsonObject] = {}
        self.patches: list[tuple[str, Any]] = []
        self._events: list[tuple[Resource, WatchEvent]] = []
        self._news = asyncio.Condition()

    async def put(self, resource: Resource, *objects: JsonObject) -> None:
        for one in objects:
            self.objects[resource, one["metadata"]["name"]] = one
            await self._tell(resource, WatchEvent("MODIFIED", one))

    async def remove(self, resource: Resource, name: str) -> None:
        await self._tell(resource, WatchEvent("DELETED", self.objects.pop((resource, name))))

    async def list(self, resource: Resource, namespace: str = "") -> ObjectList:
        items = [one for (of, _), one in sorted(self.objects.items()) if of == resource]
        return ObjectList(items, str(len(self._events)))

    async def watch(
        self, resource: Resource, namespace: str = "", *, since: str
    ) -> AsyncIterator[WatchEvent]:
        position = int(since)
        while True:
            async with self._news:
                await self._news.wait_for(lambda: len(self._events) > position)  # noqa: B023
            of, event = self._events[position]
            position += 1
            if of == resource:
                yield event

    async def patch(self, resource: Resource, name: str, namespace: str, patch: Any, **_: Any) -> JsonObject:
        self.patches.append((name, patch))
        status = {"loadBalancer": {k: v for k, v in patch["status"]["loadBalancer"].items() if v is not None}}
        changed = self.objects[resource, name] | {"status": status}
        await self.put(resource, changed)
        return changed

    async def _tell(self, resource: Resource, event: WatchEvent) -> None:
        async with self._news:
            self._events.append((resource, event))
            self._news.notify_all()


class Bench:
    """A node's network with all that serves it, and pods made on demand."""

    def __init__(self) -> None:
        self.client = FakeClient()
        self.node = NodeNetwork.create(NODE_ADDRESS)
        self.directory = ServiceDirectory(self.client)  # type: ignore[arg-type]
        self.rules = service_rules.ServiceRules(self.directory, self.node, node_address=NODE_ADDRESS)
        self.dns = cluster_dns.ClusterDns(self.directory, self.node)
        self.ports = host_ports.HostPorts(self.directory, self.client, self.node, slot=SLOT)  # type: ignore[arg-type]
        self.pods: dict[str, NetworkNamespace] = {}
        self.servers: list[asyncio.Server] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        runners = (self.directory.run, self.rules.run, self.dns.run, self.ports.run)
        tasks = [asyncio.ensure_future(run()) for run in runners]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            for server in self.servers:
                server.close()
            assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended

    def pod(self, address: str) -> NetworkNamespace:
        self.pods[address] = NetworkNamespace.create()
        self.node.attach(self.pods[address], address)
        return self.pods[address]

    async def serve(self, address: str, port: int, text: str) -> None:
        """Answer each connection with the text and the client's address."""
        listener = self.pods[address].socket()
        listener.bind(("0.0.0.0", port))

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(f"{text} to {writer.get_extra_info('peername')[0]}".encode())
            writer.close()

        self.servers.append(await asyncio.start_server(answer, sock=listener))


async def ask(
    namespace: NetworkNamespace, address: str, port: int, *, mark: int = 0, within_s: float = 20
) -> str:
    """Connect and read all; the name of the error when that fails."""
    made = namespace.socket()
    if mark:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
    try:
        async with asyncio.timeout(within_s):
            await asyncio.get_running_loop().sock_connect(made, (address, port))
            reader, writer = await asyncio.open_connection(sock=made)
            text = (await reader.read()).decode()
            writer.close()
            return text
    except (OSError, TimeoutError) as error:
        made.close()
        return type(error).__name__


async def eventually(condition: Callable[[], Coroutine[Any, Any, object]], limit_s: float = 20) -> None:
    async with asyncio.timeout(limit_s):
        while not await condition():
            await asyncio.sleep(0.01)


def service(name: str, address: str, port: int, **fields: Any) -> JsonObject:
    entry = {"name": "http", "port": port, "protocol": "TCP", **fields.pop("entry", {})}
    spec = {"type": "ClusterIP", "clusterIP": address, "ports": [entry], **fields}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


def endpoint_slice(name: str, port: int, addresses: Iterable[str]) -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in addresses],
    }


async def pods(_: ForkServer) -> None:
    bench = Bench()
    first, _second = bench.pod("10.244.0.2"), bench.pod("10.244.0.3")
    await bench.serve("10.244.0.3", 80, "hello")
    assert await ask(first, "10.244.0.3", 80) == "hello to 10.244.0.2"
    assert await ask(bench.node.namespace, "10.244.0.3", 80) == "hello to 10.244.0.1"
    with pytest.raises(FileExistsError):
        bench.node.attach(NetworkNamespace.create(), "10.244.0.3")
    with pytest.raises(OSError, match="add veth"):
        bench.node.attach(first, "10.244.0.9")
    bench.node.attach(NetworkNamespace.create(), "10.244.0.9")  # the failed attempt left nothing
    bench.node.detach("10.244.0.3")
    bench.node.detach("10.244.0.3")
    assert await ask(first, "10.244.0.3", 80, within_s=3) in ("OSError", "TimeoutError")
    for server in bench.servers:
        server.close()


async def services(_: ForkServer) -> None:
    bench = Bench()
    client, web = bench.pod("10.244.0.2"), bench.pod("10.244.0.3")
    bench.pod("10.244.0.4")
    await bench.serve("10.244.0.3", 8080, "three")
    await bench.serve("10.244.0.4", 8080, "four")
    async with bench.running():
        await eventually(lambda: _equals(ask(client, "10.96.0.77", 80), "ConnectionRefusedError"))
        await bench.client.put(
            kubernetes.SERVICES, service("web", "10.96.0.77", 80, entry={"nodePort": 30080})
        )
        await bench.client.put(kubernetes.ENDPOINT_SLICES, endpoint_slice("web", 8080, ["10.244.0.3"]))
        await eventually(lambda: _equals(ask(client, "10.96.0.77", 80), "three to 10.244.0.2"))
        assert await ask(web, "10.96.0.77", 80) == "three to 10.244.0.1"  # to itself, through the node
        assert await ask(bench.node.namespace, "10.96.0.77", 80) == "three to 10.244.0.1"
        assert await ask(client, NODE_ADDRESS, 30080) == "three to 10.244.0.2"
        assert await ask(client, "10.96.0.77", 81) == "ConnectionRefusedError"
        assert await ask(client, "10.96.0.78", 80) == "ConnectionRefusedError"
        await bench.client.put(
            kubernetes.ENDPOINT_SLICES, endpoint_slice("web", 8080, ["10.244.0.3", "10.244.0.4"])
        )
        seen: set[str] = set()
        await eventually(lambda: _collect(seen, ask(client, "10.96.0.77", 80), 2))
        assert seen == {"three to 10.244.0.2", "four to 10.244.0.2"}
        await bench.client.put(kubernetes.ENDPOINT_SLICES, endpoint_slice("web", 8080, []))
        await eventually(lambda: _equals(ask(client, "10.96.0.77", 80), "ConnectionRefusedError"))


async def affinity(_: ForkServer) -> None:
    bench = Bench()
    # Each draws one of two: that all draw the same, or what they drew before, happens once in 100,000,000 times.
    clients = [bench.pod(f"10.244.0.{number}") for number in range(10, 38)]
    for number, text in ((3, "three"), (4, "four")):
        bench.pod(f"10.244.0.{number}")
        await bench.serve(f"10.244.0.{number}", 8080, text)
    both = endpoint_slice("web", 8080, ["10.244.0.3", "10.244.0.4"])

    async def places() -> list[str]:
        return [(await ask(client, "10.96.0.77", 80)).split()[0] for client in clients]

    async def sticky(timeout_s: int) -> None:
        made = service("web", "10.96.0.77", 80, sessionAffinity="ClientIP")
        made["spec"]["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": timeout_s}}
        await bench.client.put(kubernetes.SERVICES, made)

    async with bench.running():
        await sticky(600)
        await bench.client.put(kubernetes.ENDPOINT_SLICES, both)
        await eventually(lambda: _equals(_is_among(places(), {"three", "four"}), True))
        before = await places()
        assert set(before) == {"three", "four"}, "each client draws for itself"
        for _attempt in range(3):
            assert await places() == before
        await bench.client.put(kubernetes.ENDPOINT_SLICES, endpoint_slice("web", 8080, ["10.244.0.4"]))
        await eventually(lambda: _equals(places(), ["four"] * len(clients)))
        await bench.client.put(kubernetes.ENDPOINT_SLICES, both)
        await _applied(bench, endpoints=2)
        assert await places() == ["four"] * len(clients), "it was there that they were last"
        await sticky(1)
        await eventually(lambda: _equals(_has_both(places()), True))
        before = await places()
        await asyncio.sleep(1.2)  # nobody comes meanwhile: every visit would be remembered
        assert await places() != before


async def _applied(bench: Bench, *, endpoints: int) -> None:
    """Wait until the rules are those of the slice with so many endpoints."""

    async def is_known() -> bool:
        return len(next(iter(bench.directory.slices.values()))["endpoints"]) == endpoints

    await eventually(is_known)
    await bench.rules.applied(await bench.directory.changed(0))


async def _has_both(answers: Coroutine[Any, Any, list[str]]) -> bool:
    return set(await answers) == {"three", "four"}


async def _is_among(answers: Coroutine[Any, Any, list[str]], expected: set[str]) -> bool:
    return set(await answers) <= expected


async def load_balancers(_: ForkServer) -> None:
    bench = Bench()
    client, gateway = bench.pod("10.244.0.2"), bench.pod("10.244.0.3")
    await bench.serve("10.244.0.3", 8080, "gateway")
    await bench.serve("10.244.0.2", 15001, "proxy")
    async with bench.running():
        await bench.client.put(kubernetes.ENDPOINT_SLICES, endpoint_slice("gateway", 8080, ["10.244.0.3"]))
        port = free_port(f"127.97.{SLOT}.1")
        await bench.client.put(
            kubernetes.SERVICES, service("gateway", "10.96.0.5", port, type="LoadBalancer")
        )
        address = f"127.97.{SLOT}.1"
        await eventually(lambda: _equals(ask(client, address, port), "gateway to 10.244.0.2"))
        await eventually(lambda: _equals(_value(len(bench.client.patches)), 1))
        assert bench.client.patches[0][1]["status"]["loadBalancer"]["ingress"][0]["ip"] == address
        assert await ask(gateway, address, port) == "gateway to 10.244.0.1"
        assert await ask(client, f"127.97.{SLOT}.9", port) == "ConnectionRefusedError"
        first = nft.rule(
            nft.daddr(network.LOAD_BALANCER_NETWORK),
            nft.protocol("tcp"),
            nft.mark(MARK, negate=True),
            nft.redirect(15001),
        )
        proxy = nft.Table("proxy", (nft.Chain("output", (first,), nft.Hook("nat", "output", nft.DSTNAT)),))
        client.run(lambda: nft_transactions.install(proxy))
        assert await ask(client, address, port) == "proxy to 127.0.0.1"  # the application's connections
        assert await ask(client, address, port, mark=MARK) == "gateway to 10.244.0.2"  # the proxy's own


async def names(_: ForkServer) -> None:
    bench = Bench()
    client = bench.pod("10.244.0.2")
    async with bench.running():
        await bench.client.put(kubernetes.SERVICES, service("web", "10.96.0.77", 80))
        await bench.client.put(kubernetes.ENDPOINT_SLICES, endpoint_slice("web", 8080, ["10.244.0.3"]))

        async def resolved() -> bool:
            with contextlib.suppress(ConnectionRefusedError):  # nobody listens there yet
                return "10.96.0.77" in await resolve(client, "web.default.svc.cluster.local")
            return False

        await eventually(resolved)
        assert "NXDOMAIN" in await resolve(client, "nobody.default.svc.cluster.local")
        made = client.socket()
        await asyncio.get_running_loop().sock_connect(made, (cluster.DNS_IP, 53))
        reader, writer = await asyncio.open_connection(sock=made)
        query = dns.message.make_query("web.default.svc.cluster.local", "A").to_wire()
        for _turn in range(2):  # one connection, several queries
            writer.write(struct.pack(">H", len(query)) + query)
            length = int.from_bytes(await reader.readexactly(2))
            assert "10.96.0.77" in dns.message.from_wire(await reader.readexactly(length)).to_text()
        writer.close()


async def host(_: ForkServer) -> None:
    bench = Bench()
    bench.pod("10.244.0.3")
    listener = bench.pods["10.244.0.3"].socket()
    listener.bind(("0.0.0.0", 8080))

    async def reverse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read()  # all of it, up to the half-close
        writer.write(data[::-1])
        await writer.drain()
        writer.close()

    bench.servers.append(await asyncio.start_server(reverse, sock=listener))
    async with bench.running():
        number = free_port(NODE_ADDRESS)
        await bench.client.put(
            kubernetes.SERVICES, service("web", "10.96.0.77", 80, type="NodePort", entry={"nodePort": number})
        )
        await bench.client.put(
            kubernetes.ENDPOINT_SLICES, endpoint_slice("web", 8080, ["10.244.0.99", "10.244.0.3"])
        )
        data = bytes(range(256)) * 20_000
        await eventually(lambda: _equals(_exchange(NODE_ADDRESS, number, b"first"), b"tsrif"))
        assert await _exchange(NODE_ADDRESS, number, data) == data[::-1]
        answers = await asyncio.gather(*(_exchange(NODE_ADDRESS, number, b"%d" % n) for n in range(20)))
        assert answers == [(b"%d" % n)[::-1] for n in range(20)]
        await bench.client.put(kubernetes.ENDPOINT_SLICES, endpoint_slice("web", 8080, []))
        await eventually(lambda: _equals(_exchange(NODE_ADDRESS, number, b"x"), "ConnectionResetError"))
        await bench.client.remove(kubernetes.SERVICES, "web")
        await eventually(lambda: _equals(_exchange(NODE_ADDRESS, number, b"x"), "ConnectionRefusedError"))


async def taken(_: ForkServer) -> None:
    bench = Bench()
    address = f"127.97.{SLOT}.1"
    with socket.create_server((address, 0)) as other:
        port = other.getsockname()[1]
        async with bench.running():
            await bench.client.put(
                kubernetes.SERVICES, service("web", "10.96.0.77", port, type="LoadBalancer")
            )
            await eventually(lambda: _equals(_value(len(bench.ports.findings())), 1))
            finding = bench.ports.findings()[0]
            assert finding.code == "BM0102"
            assert f"{address}:{port}" in finding.message
            assert bench.client.patches == []  # no address that does not answer


async def low_ports(_: ForkServer) -> None:
    bench = Bench()
    bench.pod("10.244.0.3")
    lowest = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    allowed = namespaces.mapped_ids() > 1 or lowest <= 1
    async with bench.running():
        number = free_port(NODE_ADDRESS)
        ports = service("web", "10.96.0.77", 1, type="LoadBalancer", entry={"nodePort": number})
        await bench.client.put(kubernetes.SERVICES, ports)
        await bench.client.put(kubernetes.ENDPOINT_SLICES)
        if allowed:
            await eventually(lambda: _equals(_value(len(bench.client.patches)), 1))
        else:
            await eventually(
                lambda: _equals(_value([one.code for one in bench.ports.findings()]), ["BM0101"])
            )
            assert "node port" in bench.ports.findings()[0].hint
            assert bench.client.patches == []
        place = host_ports.Place(NODE_ADDRESS, number)
        await eventually(lambda: _equals(_value(place in bench.ports.listening()), True))


async def resolve(namespace: NetworkNamespace, name: str) -> str:
    """Ask by UDP; the answer as text."""
    made = namespace.socket(socket.SOCK_DGRAM)
    loop = asyncio.get_running_loop()
    with made:
        await loop.sock_connect(made, (cluster.DNS_IP, 53))
        await loop.sock_sendall(made, dns.message.make_query(name, "A").to_wire())
        async with asyncio.timeout(20):
            return dns.message.from_wire(await loop.sock_recv(made, 4096)).to_text()


async def _exchange(address: str, port: int, data: bytes) -> bytes | str:
    """Send all, end our direction, read all; the name of the error when that fails."""
    try:
        reader, writer = await asyncio.open_connection(address, port)
        try:
            writer.write(data)
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), 20)
        finally:
            writer.close()
    except OSError as error:
        return type(error).__name__


async def _value(value: object) -> object:
    return value


async def _equals(answer: Coroutine[Any, Any, object], expected: object) -> bool:
    return await answer == expected


async def _collect(seen: set[str], answer: Coroutine[Any, Any, str], count: int) -> bool:
    seen.add(await answer)
    return len(seen) >= count


FACTS = {
    "pods": "pods reach each other and the node by their addresses",
    "services": "service addresses lead to ready endpoints and are refused otherwise",
    "affinity": "a client comes back to its endpoint while the service remembers it",
    "load_balancers": "load balancers answer in pods, with a proxy that comes first or none",
    "names": "pods resolve services by UDP and TCP",
    "host": "the host reaches endpoints by node port, and sees a reset without any",
    "low_ports": "an ordinary user gets node ports where low ports are not allowed",
    "taken": "a taken port is reported and gives no address",
}


@pytest.mark.lab
@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("scenario", FACTS, ids=[fact.replace(" ", "_") for fact in FACTS.values()])
def test_node_network(scenario: str) -> None:
    inside.run(__file__, scenario)


if __name__ == "__main__":
    inside.main(globals())
