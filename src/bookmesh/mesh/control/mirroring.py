"""
A live copy of all objects of one resource: list, then watch, for as long as the task runs.

Whatever ends the watch (the API expired our version, a connection broke, the kind is not installed yet) leads to a new
list after a pause that doubles up to a limit. Meanwhile the last known objects stay. Anything but an `ApiError` or a
network error is a bug and ends the task.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from bookmesh.base.kubernetes import ApiError, Client, JsonObject, Resource

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 5.0
Key = tuple[str, str]  # namespace, name

_log = logging.getLogger(__name__)


class Changed:
    """Which objects of a mirror changed since somebody took notice; of that somebody's own."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._keys: set[Key] = set()

    def note(self, keys: Iterable[Key]) -> None:
        self._keys.update(keys)

    def note_all(self) -> None:
        """Let every object count as changed: somebody lost what they had made of them."""
        self._keys.update(map(_key, self._mirror.objects()))

    def take(self) -> dict[Key, JsonObject | None]:
        """What changed since this was asked last, by namespace and name; None for objects that are gone."""
        keys, self._keys = self._keys, set()
        return {key: self._mirror.get(*key) for key in keys}


class Mirror:
    """
    Objects of `resource` in one namespace, or in every one. `on_change` is called after each change of content.

    `has_listed` is set after the first list, also if that said that there is no such resource: an API without the
    kind has no objects of it; `is_served` tells whether it has the kind. `follow` collects changes until somebody takes
    them, so that work can follow changes.
    """

    def __init__(
        self, client: Client, resource: Resource, *, on_change: Callable[[], None], namespace: str = ""
    ) -> None:
        self.resource = resource
        self.has_listed = asyncio.Event()
        self.is_served = False
        self._client = client
        self._namespace = namespace
        self._on_change = on_change
        self._objects: dict[Key, JsonObject] = {}
        self._everything: tuple[JsonObject, ...] | None = None
        self._followers: list[Changed] = []
        self._pause_s = FIRST_PAUSE_S

    def objects(self) -> tuple[JsonObject, ...]:
        """Shared objects, never to be mutated, in no particular order; the same tuple until something changes."""
        if self._everything is None:
            self._everything = tuple(self._objects.values())
        return self._everything

    def get(self, namespace: str, name: str) -> JsonObject | None:
        return self._objects.get((namespace, name))

    def follow(self) -> Changed:
        """From now on collect what changes, after all that is there already."""
        changed = Changed(self)
        changed.note_all()
        self._followers.append(changed)
        return changed

    async def run(self) -> None:
        """Keep the copy up to date until cancelled."""
        while True:
            try:
                await self._list_and_watch()
            except (ApiError, OSError) as error:
                self._log(error)
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    async def _list_and_watch(self) -> None:
        listed = await self._client.list(self.resource, self._namespace)
        self._replace(listed.items, is_served=True)
        async for event in self._client.watch(self.resource, self._namespace, since=listed.resource_version):
            self._pause_s = FIRST_PAUSE_S
            if event.type == "BOOKMARK":
                continue
            key = _key(event.object)
            if event.type == "DELETED":
                if self._objects.pop(key, None) is None:
                    continue
            else:
                self._objects[key] = event.object
            self._everything = None
            self._note((key,))
            self._on_change()

    def _replace(self, items: list[JsonObject], *, is_served: bool) -> None:
        fresh = {_key(item): item for item in items}
        before, after = _versions(self._objects), _versions(fresh)
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        is_other = not self.has_listed.is_set() or is_served != self.is_served
        self.is_served = is_served
        self._objects, self._everything = fresh, None
        self._note(changed)
        self.has_listed.set()
        if changed or is_other:
            self._on_change()

    def _note(self, keys: Iterable[Key]) -> None:
        for follower in self._followers:
            follower.note(keys)

    def _log(self, error: ApiError | OSError) -> None:
        is_absent = isinstance(error, ApiError) and error.code == 404
        is_expired = isinstance(error, ApiError) and error.code == 410
        if is_absent:
            self._replace([], is_served=False)
        level = logging.DEBUG if is_absent or is_expired else logging.WARNING
        _log.log(level, "watching %s: %s; listing again", self.resource.qualified, error)


def _key(item: JsonObject) -> Key:
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _versions(objects: dict[Key, JsonObject]) -> dict[Key, tuple[str, str]]:
    return {
        key: (item["metadata"].get("uid", ""), item["metadata"].get("resourceVersion", ""))
        for key, item in objects.items()
    }
