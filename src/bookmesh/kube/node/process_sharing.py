"""
Whose processes a container sees: its own, those of the whole pod (`shareProcessNamespace`), or those of the container
that an ephemeral one is to look at (`targetContainerName`).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import network_files
from bookmesh.kube.node.containers import ContainerRunner
from bookmesh.kube.node.context import PodContext
from bookmesh.kube.node.ports import Process
from bookmesh.kube.node.sources import SourceError
from bookmesh.kube.sandbox import pausing
from bookmesh.kube.sandbox.forking import SandboxError
from bookmesh.kube.sandbox.specification import SandboxSpec


class ProcessSharing:
    """The first process of a pod that shares them all; it outlives every container."""

    def __init__(self, context: PodContext) -> None:
        self._context = context
        self._first: Process | None = None

    async def set_up(self) -> None:
        """Start it where the pod asks for it. Raises RuntimeError."""
        pod = self._context.pod
        if not pod["spec"].get("shareProcessNamespace") or self._first is not None:
            return
        spec = SandboxSpec(
            name=f"{pod['metadata']['namespace']}/{pod['metadata']['name']}/",
            argv=("pause",),
            hostname=network_files.hostname_of(pod),
            entry=pausing.ENTRY,
        )
        nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            self._first = await self._context.machinery.forks.run(
                spec, netns=self._context.open_netns.fd, stdout=nothing, stderr=nothing
            )
        except SandboxError as error:
            raise RuntimeError(str(error)) from error
        finally:
            os.close(nothing)

    def tear_down(self) -> None:
        """End it, and with it whatever the containers have left behind. More calls do nothing."""
        if self._first is not None:
            self._first.signal(signal.SIGKILL)
            self._first = None

    def neighbour_of(self, container: JsonObject, runners: Mapping[str, ContainerRunner]) -> int | None:
        """
        The pid of the process whose PID namespace a container joins; None when it gets one of its own.

        Raises:
            SourceError: the container that it names does not run.
        """
        if self._first is not None:
            return self._first.pid
        target = container.get("targetContainerName")
        if not target:
            return None
        runner = runners.get(target)
        run = runner.current if runner is not None else None
        if run is None or run.process is None:
            raise SourceError(f'unable to find target container "{target}"')
        return run.process.pid
