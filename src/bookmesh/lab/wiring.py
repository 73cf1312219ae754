"""
One kube and one mesh, wired together: the only place that knows every part by name.

`run` brings the parts up in order, says so step by step, and then waits for the signal to stop. Parts run in one task
group: when one of them fails the lab ends, with the reason in its log, rather than go on without it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping

from bookmesh.base import cluster, findings
from bookmesh.kube.controllers import all as controllers
from bookmesh.kube.sandbox import forking
from bookmesh.kube.store import store as stores
from bookmesh.lab import (
    admission,
    api_server,
    credentials,
    hosting,
    interception,
    launching,
    mesh_seeding,
    nodes,
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
from bookmesh.lab.internet import authority as internet_authority
from bookmesh.lab.internet import opening
from bookmesh.mesh.control import control_plane
from bookmesh.mesh.identity import authority
from bookmesh.mesh.injection import settings as injection_settings
from bookmesh.mesh.model import kinds as mesh_kinds
from bookmesh.mesh.snapshot import settings as mesh_settings

# `kubectl get gateway` means Istio's Gateway, though the Gateway API has a kind of the same name.
ISTIO_GROUP = mesh_kinds.NETWORKING
STOP_GRACE_S = 1.0
_log = logging.getLogger(__name__)


async def run(
    lab: paths.LabPaths,
    *,
    port: int | None,
    real_internet: bool,
    size: Mapping[str, str],
    previous: launching.LabSettings | None,
    patience_s: float,
    forkserver: forking.ForkServer,
    reporter: progress.Reporter,
) -> None:
    """
    Run the lab until SIGTERM or SIGINT, or until its files are deleted.

    Args:
        port: of the API server; None means the one of `previous`, or a free one.
        size: what the node offers in place of what the machine has.
        real_internet: whether pods reach what this machine reaches, instead of the simulated Internet.
        previous: how the lab was when it last ran, if it did.
        patience_s: how long the ingress gateway may take; a lab without it stays up all the same, and says so.

    Raises:
        BookmeshError: it cannot start. ExceptionGroup: a part failed.
    """
    began = time.time()
    stopping = hosting.end_of(None, lab.pid)
    forkserver.attach(asyncio.get_running_loop())
    slot, held = slots.take(previous.slot if previous else slots.of_name(lab.name))
    listener = hosting.listen(port or (previous.port if previous else 0), is_wanted=port is not None)
    with held:
        own = credentials.ensure(lab.pki, addresses=("127.0.0.1", cluster.API_SERVER_IP))
        issuer = tokens.TokenIssuer(own.token_key)
        kube = api_server.open_kube(lab, hooks=_hooks, preferred=(ISTIO_GROUP,))
        await seeding.seed_cluster(kube.client)
        await mesh_seeding.seed_mesh(kube.client)
        control = _build_control_plane(lab, kube)
        reporter.step("network")
        node = await nodes.open_node(
            lab,
            kube,
            forkserver,
            issuer=issuer,
            slot=slot,
            real_internet=real_internet,
            proxy_port=previous.proxy_port if previous else 0,
            size=size,
            volume_drivers={injection_settings.CSI_DRIVER: proxy_volumes.ProxyVolumes(control)},
            network_hooks=[interception.Interception()],
        )
        await seeding.seed_api_server_pod(kube.client, node_name=seeding.NODE_NAME, host_ip=node.address)
        settings = launching.LabSettings(
            port=listener.getsockname()[1],
            slot=slot,
            real_internet=real_internet,
            proxy_port=node.outside.proxy_port,
            size=size,
        )
        inside = status.Inside(
            lab.name,
            began,
            settings,
            kube.client,
            control=control,
            ports=node.ports,
            internet=node.outside.internet,
            node_address=node.address,
        )
        api = api_server.build_app(kube, streams=node.agent, issuer=issuer, inside=inside)
        reporter.step("Kubernetes API")
        async with api_server.serve(api, own, listener, await node.listen_inside()):
            if kube.is_new:
                await seeding.seed_classes(kube.client)
                await seeding.seed_services(kube.client)
                await mesh_seeding.seed_objects(kube.client)
            credentials.write_kubeconfig(
                lab.kubeconfig, own, context=lab.context, server=f"https://127.0.0.1:{settings.port}"
            )
            launching.write_settings(lab, settings)  # last: with them a lab counts as one that was up
            runners = controllers.build(
                kube.client_of("kube-controller-manager"),
                ca_pem=own.authority.read_text(),
                node_name=seeding.NODE_NAME,
                issue=issuer.issue_lasting,
                claims=str(lab.claims),
            )
            reporter.serving()
            reporter.step("ingress gateway")
            async with hosting.running(control.run(), controllers.run(runners), *node.runs()) as parts:
                try:
                    ready = readiness.wait_for_gateway(kube.client, node.ports, patience_s=patience_s)
                    await hosting.first_of(parts, ready, stopping.wait())
                    if not stopping.is_set():
                        reporter.ready()
                        _log.info("the lab is up, its API server on port %d", settings.port)
                except findings.BookmeshError as error:
                    reporter.failed(error)
                    _log.error("%s", error.finding.render())
                await hosting.first_of(parts, stopping.wait())
                _log.info("the lab ends")
                await node.agent.stop(STOP_GRACE_S)
        kube.store.close()


def _hooks(store: stores.Store) -> tuple[admission.SidecarInjection]:
    return (admission.SidecarInjection(store, injection_settings.InjectionSettings(tag=releases.ISTIO_TAG)),)


def _build_control_plane(lab: paths.LabPaths, kube: api_server.Kube) -> control_plane.ControlPlane:
    certificates = authority.CertificateAuthority.open(lab.pki / "mesh")
    settings = mesh_settings.MeshSettings(ca_certificates=internet_authority.find_bundle() or opening.BUNDLE)
    return control_plane.ControlPlane(
        kube.client_of("pilot-discovery"), certificates, lab.directory / "proxies", settings
    )
