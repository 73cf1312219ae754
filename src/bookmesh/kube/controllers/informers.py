"""
A live copy of one resource: list, then watch, then list again when the server no longer knows where we were.

A copy is never behind its own controllers: what they wrote is put in at once (`observe`, `forget`), and older news
that still arrive by watch are told apart by resourceVersion. So no controller creates twice what it just created.
Whoever subscribed hears of every difference exactly once, synchronously, after the copy was changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bookmesh.base import following
from bookmesh.base.kubernetes import ApiError, Client, JsonObject, ObjectList, Resource, WatchEvent
from bookmesh.kube.controllers import owners

logger = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where an object is among those of its resource; namespace "" for cluster scope."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `object` is the new state, for DELETED the last one; `previous` is None for ADDED."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: JsonObject
    previous: JsonObject | None


def place_of(obj: JsonObject) -> Place:
    return Place(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def _version(obj: JsonObject) -> int:
    return int(obj["metadata"]["resourceVersion"])


class Informer:
    """The copy of one resource. Objects it hands out are shared: never change them."""

    def __init__(self, client: Client, resource: Resource) -> None:
        self.resource = resource
        self.synced = asyncio.Event()
        self._client = client
        self._by_namespace: dict[str, dict[str, JsonObject]] = {}
        self._by_owner: dict[str, dict[Place, JsonObject]] = {}
        self._gone: set[str] = set()
        self._position = 0
        self._subscribers: list[Callable[[Change], None]] = []

    def subscribe(self, callback: Callable[[Change], None]) -> None:
        """Call back on every change from now on, after first hearing of all that is here as ADDED."""
        self._subscribers.append(callback)
        for obj in list(self.all()):
            callback(Change("ADDED", obj, None))

    def get(self, namespace: str, name: str) -> JsonObject | None:
        return self._by_namespace.get(namespace, {}).get(name)

    def in_namespace(self, namespace: str) -> tuple[JsonObject, ...]:
        """List the objects of one namespace, by name."""
        found = self._by_namespace.get(namespace, {})
        return tuple(found[name] for name in sorted(found))

    def all(self) -> Iterator[JsonObject]:
        """Iterate over all objects, in no particular order."""
        for objects in self._by_namespace.values():
            yield from objects.values()

    def owned_by(self, uid: str) -> tuple[JsonObject, ...]:
        """List the objects with an owner reference (controller or not) to `uid`, by namespace and name."""
        found = self._by_owner.get(uid, {})
        return tuple(found[place] for place in sorted(found))

    async def run(self) -> None:
        """Follow the server until cancelled. A resource it does not serve (404) counts as synced and empty."""
        await following.follow(self._client, self.resource, self, pause=asyncio.sleep)

    def take(self, event: WatchEvent) -> None:
        """Take one change of the watch."""
        self._position = _version(event.object)
        if event.type == "DELETED":
            self._remove(event.object)
        else:
            self._merge(event.object)

    def note(self, error: ApiError | OSError, pause_s: float) -> None:
        """Hear why the server cannot be followed right now."""
        is_usual = isinstance(error, ApiError) and error.code in (404, 410)
        logger.log(
            logging.INFO if is_usual else logging.WARNING,
            "%s: %s; listing again in %.2f s",
            self.resource.qualified,
            error,
            pause_s,
        )

    def observe(self, obj: JsonObject) -> None:
        """Take the server's answer to a write, ahead of the watch; nothing happens when the watch was faster."""
        if _version(obj) > self._position:
            self._merge(obj)

    def forget(self, namespace: str, name: str, uid: str) -> None:
        """Take the server's word that this object is gone, ahead of the watch."""
        known = self.get(namespace, name)
        if known is not None and known["metadata"]["uid"] == uid:
            self._gone.add(uid)
            self._drop(known, known)

    def replace(self, listed: ObjectList) -> None:
        """Take a whole list; what was written by us after it was made is kept."""
        self._position = int(listed.resource_version)
        there = {obj["metadata"]["uid"] for obj in listed.items}
        for known in list(self.all()):
            if known["metadata"]["uid"] not in there and _version(known) <= self._position:
                self._drop(known, known)
        self._gone &= there
        for obj in listed.items:
            self._merge(obj)
        self.synced.set()

    def clear(self) -> None:
        """Take it that there is nothing any more."""
        self._gone.clear()
        for known in list(self.all()):
            self._drop(known, known)
        self.synced.set()

    def _merge(self, obj: JsonObject) -> None:
        if obj["metadata"]["uid"] in self._gone:
            return
        previous = self.get(*place_of(obj))
        if previous is not None and _version(obj) <= _version(previous):
            return
        if previous is not None and previous["metadata"]["uid"] != obj["metadata"]["uid"]:
            self._drop(previous, previous)
            previous = None
        if previous is not None:
            self._take(previous)
        self._put(obj)
        self._tell(Change("ADDED" if previous is None else "MODIFIED", obj, previous))

    def _remove(self, obj: JsonObject) -> None:
        self._gone.discard(obj["metadata"]["uid"])
        known = self.get(*place_of(obj))
        if known is not None and known["metadata"]["uid"] == obj["metadata"]["uid"]:
            self._drop(known, obj)

    def _drop(self, known: JsonObject, last: JsonObject) -> None:
        self._take(known)
        self._tell(Change("DELETED", last, known))

    def _put(self, obj: JsonObject) -> None:
        place = place_of(obj)
        self._by_namespace.setdefault(place.namespace, {})[place.name] = obj
        for reference in owners.references(obj):
            self._by_owner.setdefault(reference["uid"], {})[place] = obj

    def _take(self, obj: JsonObject) -> None:
        place = place_of(obj)
        objects = self._by_namespace[place.namespace]
        del objects[place.name]
        if not objects:
            del self._by_namespace[place.namespace]
        for reference in owners.references(obj):
            owned = self._by_owner.get(reference["uid"], {})
            owned.pop(place, None)
            if not owned:
                self._by_owner.pop(reference["uid"], None)

    def _tell(self, change: Change) -> None:
        for callback in self._subscribers:
            callback(change)


class Informers:
    """The copies that all controllers share, one a resource; more may come while it runs (custom resources)."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._informers: dict[Resource, Informer] = {}
        self._tasks: dict[Resource, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._followers: list[Callable[[Informer], None]] = []

    def of(self, resource: Resource) -> Informer:
        """Give the copy of a resource; the first to ask makes it, and starts it when the others run already."""
        informer = self._informers.get(resource)
        if informer is None:
            informer = self._informers[resource] = Informer(self._client, resource)
            for follower in self._followers:
                follower(informer)
            self._start(informer)
        return informer

    def known(self, resource: Resource) -> Informer | None:
        return self._informers.get(resource)

    def all(self) -> tuple[Informer, ...]:
        return tuple(self._informers.values())

    def follow(self, callback: Callable[[Informer], None]) -> None:
        """Call back for each copy there is and each that comes."""
        self._followers.append(callback)
        for informer in self.all():
            callback(informer)

    def drop(self, resource: Resource) -> None:
        """Stop following a resource that is served no longer; its objects count as deleted."""
        informer = self._informers.pop(resource, None)
        task = self._tasks.pop(resource, None)
        if task is not None:
            task.cancel()
        if informer is not None:
            informer.clear()

    async def run(self) -> None:
        """Follow everything until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                for informer in self.all():
                    self._start(informer)
                await asyncio.get_running_loop().create_future()
            finally:
                self._group = None
                self._tasks.clear()

    def _start(self, informer: Informer) -> None:
        if self._group is not None:
            name = f"informer {informer.resource.qualified}"
            self._tasks[informer.resource] = self._group.create_task(informer.run(), name=name)
