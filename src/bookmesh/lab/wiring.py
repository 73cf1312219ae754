"""
One kube and one mesh, wired together: the only place that knows every part by name.

`run` brings the parts up in order, says so step by step, and then waits for the signal to stop. When a part fails the
lab ends, with the reason in its log, rather than go on without it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from bookmesh.base import findings
from bookmesh.kube.sandbox import forking
from bookmesh.kube.store import store as stores
from bookmesh.lab import (
    admission,
    api_server,
    clusters,
    hosting,
    interception,
    mesh_seeding,
    nodes,
    paths,
    plans,
    progress,
    proxy_volumes,
    readiness,
    releases,
    seeding,
    serving,
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
_log = logging.getLogger(__name__)


async def run(
    lab: paths.LabPaths,
    plan: plans.Plan,
    *,
    patience_s: float,
    forkserver: forking.ForkServer,
    reporter: progress.Reporter,
) -> None:
    """
    Run the lab until SIGTERM or SIGINT, or until its files are deleted.

    Args:
        patience_s: how long the ingress gateway may take; a lab without it stays up all the same, and says so.

    Raises:
        BookmeshError: it cannot start. RuntimeError: a part ended; or what made a part fail.
    """
    stopping = hosting.end_of(None, lab.pid)
    cluster = await clusters.open_cluster(lab, plan, hooks=_hooks, preferred=(ISTIO_GROUP,))
    client = cluster.kube.client
    await mesh_seeding.seed_mesh(client)
    if cluster.kube.is_new:
        await mesh_seeding.seed_objects(client)
    control = _build_control_plane(lab, cluster.kube)
    reporter.step("network")
    async with nodes.open_node(
        cluster,
        forkserver,
        volume_drivers={injection_settings.CSI_DRIVER: proxy_volumes.ProxyVolumes(control)},
        network_hooks=[interception.Interception()],
    ) as node:
        await seeding.seed_api_server_pod(client, node_name=seeding.NODE_NAME, host_ip=node.address)
        reporter.step("Kubernetes API")
        async with serving.serve(cluster, node, control=control) as settings:
            _log.info("the API server is on port %d", settings.port)
            reporter.serving()
            reporter.step("ingress gateway")
            running = hosting.running(control.run(), cluster.run_controllers(), *node.runs())
            async with running as parts:
                ready = readiness.wait_for_gateway(client, node.ports, patience_s=patience_s)
                await _tell_of_gateway(ready, parts, stopping, reporter)
                await hosting.first_of(parts, stopping.wait())
                _log.info("the lab ends")
                await node.stop()
    cluster.kube.store.close()


async def _tell_of_gateway(
    ready: Coroutine[Any, Any, None],
    parts: list[asyncio.Task[object]],
    stopping: asyncio.Event,
    reporter: progress.Reporter,
) -> None:
    """Wait for the gateway and report that the lab is up, or why it is not; no word when the lab ends before."""
    try:
        await hosting.first_of(parts, ready, stopping.wait())
        if not stopping.is_set():
            reporter.ready()
            _log.info("the lab is up")
    except findings.BookmeshError as error:
        reporter.failed(error)
        _log.error("%s", error.finding.render())


def _hooks(store: stores.Store) -> tuple[admission.SidecarInjection]:
    return (admission.SidecarInjection(store, injection_settings.InjectionSettings(tag=releases.ISTIO_TAG)),)


def _build_control_plane(lab: paths.LabPaths, kube: api_server.Kube) -> control_plane.ControlPlane:
    certificates = authority.CertificateAuthority.open(lab.pki / "mesh")
    settings = mesh_settings.MeshSettings(ca_certificates=internet_authority.find_bundle() or opening.BUNDLE)
    return control_plane.ControlPlane(
        kube.client_of("pilot-discovery"), certificates, lab.directory / "proxies", settings
    )
