"""
A Kubernetes without a mesh: the API server alone, with controllers, or with a node besides.

What a cluster does not have is not imported either, so that an API server alone is up in the time that Python takes.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from bookmesh.lab import clusters, hosting, paths, plans, progress, serving

if TYPE_CHECKING:
    from bookmesh.kube.sandbox import forking
    from bookmesh.lab import nodes

_log = logging.getLogger(__name__)


async def run(
    lab: paths.LabPaths,
    plan: plans.Plan,
    *,
    lifeline: int | None,
    forkserver: forking.ForkServer | None,
    reporter: progress.Reporter,
) -> None:
    """
    Run the cluster until SIGTERM or SIGINT, until `lifeline` closes, or until its files are deleted.

    Args:
        forkserver: starts the processes of pods; there is one when, and only when, the plan has a node.

    Raises:
        BookmeshError: it cannot start. RuntimeError: a part ended; or what made a part fail.
    """
    stopping = hosting.end_of(lifeline, lab.pid)
    cluster = await clusters.open_cluster(lab, plan)
    async with contextlib.AsyncExitStack() as stack:
        node = None
        if forkserver is not None:
            from bookmesh.lab import nodes

            reporter.step("network")
            node = await stack.enter_async_context(nodes.open_node(cluster, forkserver))
        reporter.step("Kubernetes API")
        settings = await stack.enter_async_context(serving.serve(cluster, node))
        async with hosting.running(*_parts(cluster, node)) as parts:
            reporter.serving()
            reporter.ready()
            _log.info("the cluster is up %s, its API server on port %d", plan.extent.described, settings.port)
            await hosting.first_of(parts, stopping.wait())
            if node:
                await node.stop()
    cluster.kube.store.close()


def _parts(cluster: clusters.Cluster, node: nodes.NodeParts | None) -> list[Coroutine[Any, Any, object]]:
    """What runs beside the API server; may be empty."""
    parts = node.runs() if node else []
    if cluster.plan.extent.has_controllers:
        parts.append(cluster.run_controllers())
    return parts
