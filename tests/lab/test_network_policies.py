"""NetworkPolicies on real connections between pods' network namespaces; and in a lab, beside sidecars."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import yaml
from tests.lab import inside, labs

from bookmesh.base.kubernetes import NAMESPACES, NETWORK_POLICIES, PODS
from bookmesh.kube.api import inprocess, verbs
from bookmesh.kube.node import host_ports, policy_rules
from bookmesh.kube.sandbox import network
from bookmesh.kube.sandbox.forking import ForkServer
from bookmesh.kube.sandbox.namespaces import NetworkNamespace
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import store as stores

pytestmark = pytest.mark.lab
SERVER, CLIENT, OTHER, AWAY = "10.244.0.2", "10.244.0.3", "10.244.0.4", "10.244.0.5"


class Bench:
    """A node's network, an API, and pods in both: each answers TCP on 80 and 8080, and UDP on 53."""

    def __init__(self) -> None:
        self.client = inprocess.InProcessClient(
            verbs.Verbs(stores.Store.open(None), kinds.Kinds(), schemas.Schemas.load())
        )
        self.node = network.NodeNetwork.create(host_ports.node_address(248))
        self.pods: dict[str, NetworkNamespace] = {}
        self.servers: list[asyncio.Server] = []

    async def add_pod(self, name: str, address: str, *, namespace: str = "default", **labels: str) -> None:
        ports = [{"name": "http", "containerPort": 80}, {"name": "admin", "containerPort": 8080}]
        body = {
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {"containers": [{"name": "c", "image": "i", "ports": ports}]},
        }
        await self.client.create(PODS, body)
        status = {"status": {"phase": "Running", "podIP": address}}
        await self.client.patch(PODS, name, namespace, status, subresource="status")
        self.pods[address] = NetworkNamespace.create()
        self.node.attach(self.pods[address], address)
        for port in (80, 8080):
            listener = self.pods[address].socket()
            listener.bind(("0.0.0.0", port))
            self.servers.append(await asyncio.start_server(_answer, sock=listener))

    async def can(self, source: str | None, target: str, port: int = 80, *, within_s: float = 0.5) -> bool:
        """Whether a connection comes about; None is the node itself."""
        made = (self.node.namespace if source is None else self.pods[source]).socket()
        try:
            async with asyncio.timeout(within_s):
                await asyncio.get_running_loop().sock_connect(made, (target, port))
                return True
        except TimeoutError:
            return _is_connected(made)  # the time may have been over before anybody looked
        finally:
            made.close()

    async def until(self, *wanted: tuple[str | None, str, int, bool]) -> None:
        """Wait until each (source, target, port) is as wanted, then look at all of them once more."""
        async with asyncio.timeout(20):
            for source, target, port, is_open in wanted:
                while await self.can(source, target, port) is not is_open:
                    await asyncio.sleep(0.01)
        for source, target, port, is_open in wanted:
            within_s = (
                10.0 if is_open else 0.5
            )  # what is open may take its time; nothing comes from what is closed
            assert await self.can(source, target, port, within_s=within_s) is is_open, (source, target, port)

    async def put(self, name: str, text: str, namespace: str = "default") -> None:
        spec = yaml.safe_load(text)
        metadata = {"name": name, "namespace": namespace}
        await self.client.create(NETWORK_POLICIES, {"metadata": metadata, "spec": spec})


def _is_connected(made: socket.socket) -> bool:
    with contextlib.suppress(OSError):
        return bool(made.getpeername())
    return False


async def _answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@contextlib.asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    for name, labels in (("default", {}), ("away", {"team": "guests"})):
        await made.client.create(NAMESPACES, {"metadata": {"name": name, "labels": labels}})
    await made.add_pod("server", SERVER, app="server")
    await made.add_pod("client", CLIENT, app="client")
    await made.add_pod("other", OTHER, app="other")
    await made.add_pod("guest", AWAY, namespace="away", app="client")
    task = asyncio.ensure_future(policy_rules.PolicyRules(made.client, made.node).run())
    try:
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for server in made.servers:
            server.close()


async def ingress(_: ForkServer) -> None:
    async with bench() as on:
        await on.until((CLIENT, SERVER, 80, True), (AWAY, SERVER, 80, True), (OTHER, SERVER, 8080, True))
        await on.put("deny", "{podSelector: {matchLabels: {app: server}}}")
        await on.until((CLIENT, SERVER, 80, False), (AWAY, SERVER, 80, False), (OTHER, SERVER, 80, False))
        await on.until((SERVER, CLIENT, 80, True), (CLIENT, OTHER, 80, True), (None, SERVER, 80, True))
        await on.put(
            "clients",
            """
            podSelector: {matchLabels: {app: server}}
            ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: http}]}]
            """,
        )
        await on.until((CLIENT, SERVER, 80, True), (CLIENT, SERVER, 8080, False), (AWAY, SERVER, 80, False))
        await on.put(
            "guests",
            """
            podSelector: {matchLabels: {app: server}}
            ingress:
            - from: [{namespaceSelector: {matchLabels: {team: guests}}}]
              ports: [{port: 8000, endPort: 8080}]
            """,
        )
        await on.until((AWAY, SERVER, 8080, True), (AWAY, SERVER, 80, False), (CLIENT, SERVER, 80, True))
        for name in ("deny", "clients", "guests"):
            await on.client.delete(NETWORK_POLICIES, name, "default")
        await on.until((AWAY, SERVER, 80, True), (OTHER, SERVER, 80, True))


async def egress(_: ForkServer) -> None:
    async with bench() as on:
        await on.until((CLIENT, SERVER, 80, True), (CLIENT, OTHER, 80, True))
        await on.put(
            "out",
            """
            podSelector: {matchLabels: {app: client}}
            policyTypes: [Egress]
            egress: [{to: [{ipBlock: {cidr: 10.244.0.0/24, except: [10.244.0.4/32]}}], ports: [{port: 80}]}]
            """,
        )
        await on.until((CLIENT, OTHER, 80, False), (CLIENT, SERVER, 80, True), (CLIENT, SERVER, 8080, False))
        await on.until((OTHER, CLIENT, 80, True), (OTHER, SERVER, 8080, True))
        # Both sides have to allow it.
        await on.put("in", "{podSelector: {matchLabels: {app: server}}, policyTypes: [Ingress]}")
        await on.until((CLIENT, SERVER, 80, False), (CLIENT, CLIENT, 8080, True))


async def changes(_: ForkServer) -> None:
    async with bench() as on:
        await on.put(
            "clients",
            """
            podSelector: {}
            ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]
            """,
        )
        await on.until((OTHER, SERVER, 80, False), (CLIENT, SERVER, 80, True))
        await on.client.patch(PODS, "other", "default", {"metadata": {"labels": {"app": "client"}}})
        await on.until((OTHER, SERVER, 80, True))
        await on.client.patch(PODS, "client", "default", {"metadata": {"labels": {"app": "none"}}})
        await on.until((CLIENT, SERVER, 80, False))
        await on.client.delete(NETWORK_POLICIES, "clients", "default")
        await on.until((CLIENT, SERVER, 80, True))


@pytest.mark.parametrize("scenario", ["ingress", "egress", "changes"])
def test_connections_are_as_the_policies_say(host: None, scenario: str) -> None:
    inside.run(__file__, scenario)


POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: details}
spec:
  podSelector: {matchLabels: {app: details}}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {matchLabels: {app: reviews}}}], ports: [{port: 9080}]}]
"""


@pytest.fixture
def guarded(bookinfo: labs.Lab) -> Iterator[Callable[[], labs.Lab]]:
    def guard() -> labs.Lab:
        created = bookinfo.kubectl("apply", "-f", "-", stdin=POLICY)
        assert "Warning" not in created.stderr
        return bookinfo

    yield guard
    bookinfo.kubectl("delete", "networkpolicy", "details", "--ignore-not-found")


def test_a_policy_is_obeyed_beside_sidecars(bookinfo: labs.Lab, guarded: Callable[[], labs.Lab]) -> None:
    """The proxies' connections arrive at the pod's address and port, so that is what policies are about."""

    def status(app: str) -> str:
        script = (
            "import urllib.request, urllib.error\n"
            "try: print(urllib.request.urlopen('http://details:9080/details/0', timeout=1.5).status)\n"
            "except urllib.error.HTTPError as error: print(error.code)\n"
            "except OSError: print('none')\n"
        )
        command = ("exec", f"deploy/{app}", "-c", app.partition("-")[0], "--", "python3", "-c", script)
        return bookinfo.kubectl(*command, check=False).stdout.strip()

    labs.wait_until(lambda: status("productpage-v1") == status("reviews-v1") == "200", what="open to both")
    guarded()
    labs.wait_until(lambda: status("productpage-v1") != "200", what="closed to productpage")
    labs.wait_until(lambda: status("reviews-v1") == "200", what="open to reviews")


if __name__ == "__main__":
    inside.main(globals())
