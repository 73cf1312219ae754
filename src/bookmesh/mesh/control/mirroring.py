"""
A live copy of all objects of one resource, for as long as the task runs.

While the API does not answer, the last known objects stay; a resource that it does not have has no objects.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from bookmesh.base import following
from bookmesh.base.kubernetes import ApiError, Client, JsonObject, ObjectList, Resource, WatchEvent

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
        self._wake = asyncio.Event()

    def objects(self) -> tuple[JsonObject, ...]:
        """Shared objects, never to be mutated, in no particular order; the same tuple until something changes."""
        if self._everything is None:
            self._everything = tuple(self._objects.values())
        return self._everything

    def names(self) -> Iterable[Key]:
        """Namespace and name of every object."""
        return self._objects.keys()

    def get(self, namespace: str, name: str) -> JsonObject | None:
        return self._objects.get((namespace, name))

    def follow(self) -> Changed:
        """From now on collect what changes, after all that is there already."""
        changed = Changed(self)
        changed.note_all()
        self._followers.append(changed)
        return changed

    def retry(self) -> None:
        """Somebody knows that the server may have the resource by now: do not wait any longer."""
        self._wake.set()

    async def run(self) -> None:
        """Keep the copy up to date until cancelled."""
        await following.follow(
            self._client, self.resource, self, pause=self._pause, namespace=self._namespace
        )

    def replace(self, listed: ObjectList) -> None:
        """Source: `following.Reader`, as for the next three."""
        self._replace(listed.items, is_served=True)

    def take(self, event: WatchEvent) -> None:
        key = _key(event.object)
        if event.type == "DELETED":
            if self._objects.pop(key, None) is None:
                return
        else:
            self._objects[key] = event.object
        self._everything = None
        self._note((key,))
        self._on_change()

    def clear(self) -> None:
        self._replace([], is_served=False)

    def note(self, error: ApiError | OSError, pause_s: float) -> None:
        is_usual = isinstance(error, ApiError) and error.code in (404, 410)
        _log.log(
            logging.DEBUG if is_usual else logging.WARNING,
            "watching %s: %s; listing again in %.2f s",
            self.resource.qualified,
            error,
            pause_s,
        )

    async def _pause(self, pause_s: float) -> bool:
        """Returns whether it was ended by `retry`."""
        try:
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

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


def _key(item: JsonObject) -> Key:
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _versions(objects: dict[Key, JsonObject]) -> dict[Key, tuple[str, str]]:
    return {
        key: (item["metadata"].get("uid", ""), item["metadata"].get("resourceVersion", ""))
        for key, item in objects.items()
    }
