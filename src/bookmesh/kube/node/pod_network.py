"""The network of one pod: its address, its namespace, and whatever hooks change in it before containers run."""

from __future__ import annotations

import asyncio
import logging

from bookmesh.kube.node.addresses import PodAddresses
from bookmesh.kube.node.context import PodContext

_log = logging.getLogger(__name__)


class PodNetwork:
    """Kept as long as the pod lives, over all restarts of its containers."""

    def __init__(self, context: PodContext, addresses: PodAddresses) -> None:
        self._context = context
        self._addresses = addresses

    async def set_up(self) -> None:
        """
        Give the pod its address and namespace; nothing but the address is left behind by a failure.

        Raises:
            OSError, RuntimeError: the host refused, a hook failed, or no address is free.
        """
        context, machinery = self._context, self._context.machinery
        ip = context.record.ip = self._addresses.allocate(context.uid)
        loop = asyncio.get_running_loop()
        netns = context.netns = await loop.run_in_executor(None, machinery.create_namespace)
        try:
            await loop.run_in_executor(None, machinery.network.attach, netns, ip)
            for hook in machinery.network_hooks:
                await loop.run_in_executor(None, hook.apply, context.addressed_pod(), netns)
        except (OSError, RuntimeError):
            await self._take_down()
            raise
        context.record.sandbox_ready = True
        context.status_changed.fire()

    async def tear_down(self) -> None:
        """Let go of namespace and address; the pod's status still says which it had. More calls do nothing."""
        await self._take_down()
        self._addresses.release(self._context.uid)

    async def _take_down(self) -> None:
        context = self._context
        netns, context.netns = context.netns, None
        context.record.sandbox_ready = False
        if netns is None or context.record.ip is None:
            return
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, context.machinery.network.detach, context.record.ip)
        except OSError as error:
            _log.warning("network of pod %s: %s", context.full_name, error)
        netns.close()
