"""
A Kubernetes without a mesh: the API server alone, with controllers, or with a node besides.

What a cluster does not have is not imported either, so that an API server alone is up in the time that Python takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from bookmesh.base import cluster, pods
from bookmesh.lab import (
    absent_node,
    api_server,
    credentials,
    extents,
    hosting,
    keys,
    launching,
    paths,
    progress,
    seeding,
    status,
    tokens,
)

if TYPE_CHECKING:
    from bookmesh.kube.sandbox import forking
    from bookmesh.lab import nodes

STOP_GRACE_S = 1.0
_log = logging.getLogger(__name__)


async def run(
    lab: paths.LabPaths,
    *,
    extent: extents.Extent,
    port: int | None,
    real_internet: bool,
    size: Mapping[str, str],
    previous: launching.LabSettings | None,
    lifeline: int | None,
    forkserver: forking.ForkServer | None,
    reporter: progress.Reporter,
) -> None:
    """
    Run the cluster until SIGTERM or SIGINT, until `lifeline` closes, or until its files are deleted.

    Args:
        port: of the API server; None means the one of `previous`, or a free one.
        size: what the node offers in place of what the machine has.
        forkserver: starts the processes of pods; there is one when, and only when, the cluster has a node.

    Raises:
        BookmeshError: it cannot start. RuntimeError: a part ended.
    """
    began = time.time()
    stopping = hosting.end_of(lifeline, lab.pid)
    listener = hosting.listen(port or (previous.port if previous else 0), is_wanted=port is not None)
    own = credentials.ensure(lab.pki, addresses=("127.0.0.1", cluster.API_SERVER_IP))
    issuer = tokens.TokenIssuer(own.token_key)
    kube = api_server.open_kube(lab, has_node=extent.has_node)
    await seeding.seed_cluster(kube.client, has_node=extent.has_node)
    with contextlib.ExitStack() as held:
        listeners, slot, node = [listener], 0, None
        if forkserver is not None:
            from bookmesh.lab import nodes, slots

            reporter.step("network")
            forkserver.attach(asyncio.get_running_loop())
            slot, holder = slots.take((previous and previous.slot) or slots.of_name(lab.name))
            held.enter_context(holder)
            node = await nodes.open_node(
                lab,
                kube,
                forkserver,
                issuer=issuer,
                slot=slot,
                real_internet=real_internet,
                proxy_port=previous.proxy_port if previous else 0,
                size=size,
            )
            listeners.append(await node.listen_inside())
        proxy_port = node.outside.proxy_port if node else 0
        settings = launching.LabSettings(
            listener.getsockname()[1], slot, real_internet, extent, proxy_port, size
        )
        inside = _inside(lab, began, settings, kube, node)
        streams: pods.PodStreams = node.agent if node else absent_node.AbsentNode()
        api = api_server.build_app(kube, streams=streams, issuer=issuer, inside=inside)
        reporter.step("Kubernetes API")
        async with api_server.serve(api, own, *listeners):
            if kube.is_new and extent.has_controllers:
                await seeding.seed_classes(kube.client)
            if kube.is_new and node:
                await seeding.seed_services(kube.client)
            server = f"https://127.0.0.1:{settings.port}"
            credentials.write_kubeconfig(lab.kubeconfig, own, context=lab.context, server=server)
            launching.write_settings(lab, settings)  # last, see `wiring`
            async with hosting.running(*_parts(lab, extent, kube, own, node)) as parts:
                reporter.serving()
                reporter.ready()
                _log.info("the cluster is up %s, its API server on port %d", extent.described, settings.port)
                await hosting.first_of(parts, stopping.wait())
                if node:
                    await node.agent.stop(STOP_GRACE_S)
        kube.store.close()


def _inside(
    lab: paths.LabPaths,
    began: float,
    settings: launching.LabSettings,
    kube: api_server.Kube,
    node: nodes.NodeParts | None,
) -> status.Inside:
    if node is None:
        return status.Inside(lab.name, began, settings, kube.client)
    return status.Inside(
        lab.name,
        began,
        settings,
        kube.client,
        ports=node.ports,
        internet=node.outside.internet,
        node_address=node.address,
    )


def _parts(
    lab: paths.LabPaths,
    extent: extents.Extent,
    kube: api_server.Kube,
    own: keys.Keys,
    node: nodes.NodeParts | None,
) -> list[Coroutine[Any, Any, object]]:
    """What runs beside the API server."""
    parts: list[Coroutine[Any, Any, object]] = node.runs() if node else []
    if extent.has_controllers:
        from bookmesh.kube.controllers import all as controllers

        client = kube.client_of("kube-controller-manager")
        built = controllers.build(
            client,
            ca_pem=own.authority.read_text(),
            node_name=seeding.NODE_NAME,
            issue=tokens.TokenIssuer(own.token_key).issue_lasting,
            claims=str(lab.claims) if node else "",
        )
        parts.append(controllers.run(built))
    return parts
