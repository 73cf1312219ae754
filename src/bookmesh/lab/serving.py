"""An opened cluster as its users find it: an API server that answers, a kubeconfig, and the settings it has."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from bookmesh.base import pods
from bookmesh.lab import absent_node, api_server, audits, clusters, credentials, labs, status

if TYPE_CHECKING:  # a cluster without a node, or without a mesh, does not load them
    from bookmesh.lab import nodes
    from bookmesh.mesh.control import control_plane


@contextlib.asynccontextmanager
async def serve(
    cluster: clusters.Cluster,
    node: nodes.NodeParts | None,
    *,
    control: control_plane.ControlPlane | None = None,
) -> AsyncIterator[labs.LabSettings]:
    """
    Answer requests, and leave the files by which commands find the cluster.

    The settings are written last: with them a cluster counts as one that was up, so whatever is made once is made by
    then.
    """
    lab, plan = cluster.lab, cluster.plan
    settings = labs.LabSettings(
        port=cluster.listener.getsockname()[1],
        slot=node.slot if node else 0,
        real_internet=plan.real_internet,
        extent=plan.extent,
        proxy_port=node.outside.proxy_port if node else 0,
        size=plan.size,
        audit_log=plan.audit_log,
    )
    streams: pods.PodStreams = node.agent if node else absent_node.AbsentNode()
    inside = status.Inside(lab.name, cluster.began, settings, cluster.kube.client, control=control, node=node)
    listeners = [cluster.listener, *([await node.listen_inside()] if node else [])]
    async with contextlib.AsyncExitStack() as stack:
        api = api_server.build_app(
            cluster.kube,
            streams=streams,
            issuer=cluster.issuer,
            inside=inside,
            own=cluster.own,
            auditor=stack.enter_context(audits.opened(lab, plan.audit_log)),
        )
        await stack.enter_async_context(api_server.serve(api, cluster.own, *listeners))
        server = f"https://127.0.0.1:{settings.port}"
        credentials.write_kubeconfig(lab.kubeconfig, cluster.own, context=lab.context, server=server)
        labs.write_settings(lab, settings)
        yield settings
