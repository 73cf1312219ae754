"""Write the status of one pod when it changed, never twice the same, and several quick changes as one."""

from __future__ import annotations

import datetime
import logging

from bookmesh.base.kubernetes import PODS, ApiError, JsonObject
from bookmesh.kube.node import status
from bookmesh.kube.node.context import PodContext

_log = logging.getLogger(__name__)


class StatusWriter:
    """Begins from what the API has, so that a node that restarts writes only what is new."""

    def __init__(self, context: PodContext) -> None:
        self._context = context
        self._written: JsonObject = context.pod.get("status") or {}

    async def run(self) -> None:
        """Write now and whenever `status_changed` fires, for ever."""
        while True:
            await self.write()
            await self._context.status_changed.wait()

    async def write(self) -> None:
        """Write until there is nothing new; returns without waiting from the look that found nothing."""
        context = self._context
        metadata = context.pod["metadata"]
        while True:
            now = datetime.datetime.now(datetime.UTC)
            wanted = status.build_status(context.pod, context.record, written=self._written, now=now)
            patch = status.build_patch(self._written, wanted)
            if patch is None:
                return
            body = {"metadata": {"uid": metadata["uid"]}, "status": patch}
            try:
                await context.machinery.client.patch(
                    PODS, metadata["name"], metadata["namespace"], body, subresource="status"
                )
            except ApiError as error:
                # The object is gone, or another one has its name: its end will be told by the watch.
                if error.code not in (404, 409):
                    _log.warning("status of pod %s not written: %s", context.full_name, error.message)
                return
            self._written = wanted
