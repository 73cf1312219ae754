"""
How a container comes to its image: there, or waited for in the kubelet's states and words.

Nothing is ever pulled. What is there is used whatever the pull policy; what is not is looked for again, with back-off,
and at once when other images have come.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from bookmesh.kube.node import waiting
from bookmesh.kube.node.back_off import BackOff
from bookmesh.kube.node.context import PodContext
from bookmesh.kube.node.images import Image, ImageError

_ERROR_SHOWN_S = 2.0
_LOOK_S = 0.2

Show = Callable[[str, str], None]
"""Shows that the container waits: reason and message."""


class Pulling:
    """Looks for the image of one container until it is there, or until `stop` is done."""

    def __init__(
        self,
        context: PodContext,
        container: str,
        reference: str,
        *,
        policy: str,
        stop: asyncio.Future[Any],
        show: Show,
    ) -> None:
        self._context = context
        self._images = context.machinery.images
        self._container = container
        self._reference = reference
        self._policy = policy
        self._stop = stop
        self._show = show
        self._back_off = BackOff(context.machinery.settings.image_back_off, first_at_once=False)

    async def find(self, held: contextlib.ExitStack) -> Image | None:
        """Return the image, its files kept until `held` is closed; None when asked to stop before there is one."""
        while not self._stop.done():
            version = self._images.version()
            try:
                image = self._images.resolve(self._reference)
                held.enter_context(self._images.hold(image))
            except ImageError as error:
                await self._wait(str(error), version)
            else:
                self._tell(f'Container image "{self._reference}" already present on machine')
                return image
        return None

    async def _wait(self, message: str, version: object) -> None:
        if self._policy == "Never":
            self._show_never()
            await self._until_other(version, timeout_s=self._back_off.delay_s())
            return
        self._tell(f'Pulling image "{self._reference}"', reason="Pulling")
        self._warn(f'Failed to pull image "{self._reference}": {message}')
        self._warn("Error: ErrImagePull")
        self._show("ErrImagePull", message)
        delay_s = self._back_off.delay_s()
        shown_s = min(_ERROR_SHOWN_S, delay_s / 2)
        if await self._until_other(version, timeout_s=shown_s):
            return
        self._tell(f'Back-off pulling image "{self._reference}"', reason="BackOff")
        self._warn("Error: ImagePullBackOff")
        self._show("ImagePullBackOff", f'Back-off pulling image "{self._reference}": ErrImagePull: {message}')
        await self._until_other(version, timeout_s=delay_s - shown_s)

    def _show_never(self) -> None:
        message = f'Container image "{self._reference}" is not present with pull policy of Never'
        self._warn(message, reason="ErrImageNeverPull")
        self._warn("Error: ErrImageNeverPull")
        self._show("ErrImageNeverPull", message)

    async def _until_other(self, version: object, *, timeout_s: float) -> bool:
        """Wait, and say whether the wait ended early: other images are there, or the container is to stop."""

        async def images_change() -> None:
            while self._images.version() == version:  # noqa: ASYNC110 - another process changes it
                await asyncio.sleep(_LOOK_S)

        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        await waiting.first_of(asyncio.shield(self._stop), images_change(), timeout_s=timeout_s)
        return loop.time() < ends_at

    def _tell(self, message: str, *, reason: str = "Pulled") -> None:
        self._context.machinery.events.normal(self._context.pod, reason, message, container=self._container)

    def _warn(self, message: str, *, reason: str = "Failed") -> None:
        self._context.machinery.events.warning(self._context.pod, reason, message, container=self._container)
