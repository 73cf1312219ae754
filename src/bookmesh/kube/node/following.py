"""Tell two callbacks of the objects of one resource, for ever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from bookmesh.base import following
from bookmesh.base.kubernetes import ApiError, Client, JsonObject, ObjectList, Resource, WatchEvent

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Callbacks:
    resource: Resource
    on_list: Callable[[list[JsonObject]], None]
    on_event: Callable[[WatchEvent], None]

    def replace(self, listed: ObjectList) -> None:
        self.on_list(listed.items)

    def take(self, event: WatchEvent) -> None:
        self.on_event(event)

    def clear(self) -> None:
        self.on_list([])

    def note(self, error: ApiError | OSError, pause_s: float) -> None:
        _log.warning("watch of %s ended: %s; next try in %.2f s", self.resource.qualified, error, pause_s)


async def follow(
    client: Client,
    resource: Resource,
    *,
    on_list: Callable[[list[JsonObject]], None],
    on_event: Callable[[WatchEvent], None],
) -> None:
    """Tell `on_list` everything that exists, then `on_event` each change; `on_list` again after a gap."""
    await following.follow(client, resource, _Callbacks(resource, on_list, on_event), pause=asyncio.sleep)
