"""Follow one kind of object for ever: list, then watch, and list again when the watch has lost its place."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from bookmesh.base.kubernetes import ApiError, Client, JsonObject, Resource, WatchEvent

_log = logging.getLogger(__name__)
_RETRY_S = 1.0
_EXPIRED = 410


async def follow(
    client: Client,
    resource: Resource,
    *,
    on_list: Callable[[list[JsonObject]], None],
    on_event: Callable[[WatchEvent], None],
) -> None:
    """Tell `on_list` everything that exists, then `on_event` each change; `on_list` again after a gap."""
    while True:
        try:
            listed = await client.list(resource)
            on_list(listed.items)
            async for event in client.watch(resource, since=listed.resource_version):
                if event.type != "BOOKMARK":
                    on_event(event)
        except ApiError as error:
            if error.code == _EXPIRED:
                continue
            _log.warning("watch of %s ended: %s", resource.qualified, error.message)
        await asyncio.sleep(_RETRY_S)
