"""
Runs controllers: changes become keys, keys are looked at one by one, a key that fails is tried again later.

A controller is a declaration (`Controller`) of what its keys name, which changes concern which keys, how to gather
what there is to see (`observe`), and a pure `reconcile`. `Runner` gives it a queue and workers. A failing key is
logged with its object and cause and backs off alone; conflicts are normal and only retried.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from bookmesh.base.kubernetes import ApiError, Client, JsonObject, Resource
from bookmesh.kube.controllers import actions, applying, informers, queues, recording

logger = logging.getLogger(__name__)


class Key(NamedTuple):
    """Names one object to look at."""

    resource: Resource
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.resource.qualified} {place}"


@dataclass(frozen=True, slots=True)
class View:
    """What `observe` may look at. `failure` is the refusal this key met last time (no conflict), "" if none."""

    now: datetime
    caches: informers.Informers
    client: Client
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """
    Which keys a change concerns. `resource` None means every resource that has a copy, also later ones.

    `keys` gets the change and the copies; it must be fast and may name keys whose object does not exist.
    """

    resource: Resource | None
    keys: Callable[[informers.Change, Resource, informers.Informers], Iterable[Key]]


@dataclass(frozen=True, slots=True)
class Controller:
    """
    One controller, declared.

    `observe` gets the object of a key and gathers the `seen` of `reconcile`; `vanished` decides for a key whose
    object is gone. `reads` are resources it looks at without being woken by them.
    """

    name: str
    watches: tuple[Watch, ...]
    observe: Callable[[Key, JsonObject, View], Awaitable[Any]]
    reconcile: Callable[[JsonObject, Any], actions.Actions]
    reads: tuple[Resource, ...] = ()
    vanished: Callable[[Key, View], actions.Actions] | None = None
    workers: int = 2


def own_keys(resource: Resource) -> Watch:
    """Watch the resource that the keys name."""
    return Watch(resource, lambda change, source, _: (key_of(source, change.object),))


def key_of(resource: Resource, obj: JsonObject) -> Key:
    return Key(resource, *informers.place_of(obj))


class Runner:
    """One controller at work."""

    def __init__(
        self,
        controller: Controller,
        *,
        client: Client,
        caches: informers.Informers,
        suffix: Callable[[], str],
        now: Callable[[], datetime],
    ) -> None:
        self.controller = controller
        self.caches = caches
        self._client = client
        self._now = now
        self._queue: queues.WorkQueue[Key] = queues.WorkQueue()
        self._failures: dict[Key, str] = {}
        recorder = recording.Recorder(client, now=now)
        self._applier = applying.Applier(client, caches, recorder, suffix=suffix)
        for resource in (*(watch.resource for watch in controller.watches), *controller.reads):
            if resource is not None:
                caches.of(resource)

    async def run(self) -> None:
        """Wait until everything it looks at is known, then work until cancelled."""
        for watch in self.controller.watches:
            self._follow(watch)
        for resource in (*(watch.resource for watch in self.controller.watches), *self.controller.reads):
            for informer in self.caches.all() if resource is None else (self.caches.of(resource),):
                await informer.synced.wait()
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self.controller.workers):
                    group.create_task(self._work(), name=f"{self.controller.name} {number}")
        finally:
            self._queue.close()

    def _follow(self, watch: Watch) -> None:
        def subscribe(informer: informers.Informer) -> None:
            def enqueue(change: informers.Change) -> None:
                for key in watch.keys(change, informer.resource, self.caches):
                    self._queue.add(key)

            informer.subscribe(enqueue)

        if watch.resource is None:
            self.caches.follow(subscribe)
        else:
            subscribe(self.caches.of(watch.resource))

    async def _work(self) -> None:
        while True:
            key = await self._queue.take()
            try:
                await self._look_at(key)
            finally:
                self._queue.done(key)

    async def _look_at(self, key: Key) -> None:
        try:
            again_s = await self._pass(key)
        except ApiError as error:
            delay_s = self._queue.retry(key)
            is_expected = error.code in (404, 409)
            if not is_expected:
                self._failures[key] = error.message
            level = logging.DEBUG if is_expected else logging.WARNING
            logger.log(level, "%s: %s: %s; again in %.3f s", self.controller.name, key, error, delay_s)
        except Exception as error:
            self._failures[key] = str(error)
            delay_s = self._queue.retry(key)
            logger.exception("%s: %s: unexpected; again in %.3f s", self.controller.name, key, delay_s)
        else:
            self._failures.pop(key, None)
            self._queue.forget(key)
            if again_s is not None:
                self._queue.add_after(key, again_s)

    async def _pass(self, key: Key) -> float | None:
        view = View(self._now(), self.caches, self._client, self._failures.get(key, ""))
        informer = self.caches.known(key.resource)
        desired = informer.get(key.namespace, key.name) if informer is not None else None
        if desired is not None:
            seen = await self.controller.observe(key, desired, view)
            wanted = self.controller.reconcile(desired, seen)
        elif self.controller.vanished is not None:
            wanted = self.controller.vanished(key, view)
        else:
            return None
        return await self._applier.apply(wanted, source=self.controller.name)


async def run(runners: Iterable[Runner]) -> None:
    """Run controllers and the copies they share until cancelled; a bug in the machinery ends all of them, loudly."""
    at_work = tuple(runners)
    caches = {id(runner.caches): runner.caches for runner in at_work}
    async with asyncio.TaskGroup() as group:
        for shared in caches.values():
            group.create_task(shared.run(), name="informers")
        for runner in at_work:
            group.create_task(runner.run(), name=runner.controller.name)
