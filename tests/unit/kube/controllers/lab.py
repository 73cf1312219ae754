"""All controllers at work on an API in memory, with a kubelet that takes its time, for tests of the whole."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Callable, Collection
from datetime import UTC, datetime
from typing import Protocol

from bookmesh.base.kubernetes import NAMESPACES, NODES, PODS, ApiError, Client, JsonObject, Resource
from bookmesh.kube.controllers import all as controllers
from bookmesh.kube.controllers import conditions, pods

NODE: JsonObject = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "node"},
    "spec": {},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}
NAMESPACE: JsonObject = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "default"},
    "spec": {"finalizers": ["kubernetes"]},
}
DEADLINE_S = 20.0


class Cluster(Client, Protocol):
    """A client that can be looked into: all objects now, and a call after each write."""

    on_write: list[Callable[[], None]]

    def find(self, resource: Resource, name: str, namespace: str = "default") -> JsonObject | None: ...

    def all(self, resource: Resource) -> list[JsonObject]: ...


def fixed_now() -> datetime:
    return datetime(2026, 8, 1, 12, 0, 30, tzinfo=UTC)


def suffixes() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"s{next(numbers):04}"


@contextlib.asynccontextmanager
async def running(client: Cluster, *, only: Collection[str] = ()) -> AsyncIterator[None]:
    """Run all controllers (or `only` those of these names) on `client`, which gets a node and a namespace."""
    if client.find(NODES, "node", "") is None:
        await client.create(NODES, NODE)
        await client.create(NAMESPACES, NAMESPACE)
    runners = controllers.build(client, ca_pem="PEM", node_name="node", now=fixed_now, suffix=suffixes())
    runners = [each for each in runners if not only or each.controller.name in only]
    task = asyncio.create_task(controllers.run(runners))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(client: Cluster, fact: Callable[[], bool]) -> None:
    """Wait for a fact about the objects of `client`; it is looked at again after each write."""
    changed = asyncio.Event()
    client.on_write.append(changed.set)
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not fact():
                await changed.wait()
                changed.clear()
    finally:
        client.on_write.remove(changed.set)


class Kubelet:
    """Makes pods on the node ready, and ends those that were asked to go, one random step at a time."""

    def __init__(self, client: Cluster, chance: random.Random, *, patience: int = 12) -> None:
        self._client = client
        self._chance = chance
        self._patience = patience
        self._addresses = itertools.count(2)
        self.is_healthy: Callable[[JsonObject], bool] = lambda pod: True

    async def run(self) -> None:
        while True:
            for _ in range(self._chance.randrange(self._patience)):
                await asyncio.sleep(0)
            waiting = [pod for pod in self._client.all(PODS) if self._has_work(pod)]
            if not waiting:
                await self._news()
                continue
            await self._step(self._chance.choice(waiting))

    async def _news(self) -> None:
        changed = asyncio.Event()
        self._client.on_write.append(changed.set)
        try:
            await changed.wait()
        finally:
            self._client.on_write.remove(changed.set)

    def _has_work(self, pod: JsonObject) -> bool:
        if not pod["spec"].get("nodeName"):
            return False
        return pods.is_terminating(pod) or (not pods.is_ready(pod) and self.is_healthy(pod))

    async def _step(self, pod: JsonObject) -> None:
        metadata = pod["metadata"]
        with contextlib.suppress(ApiError):
            if pods.is_terminating(pod):
                await self._client.delete(PODS, metadata["name"], metadata["namespace"], grace_s=0)
                return
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-08-01T12:00:00Z"}
            status = pod.get("status") or {}
            patch = {
                "status": {
                    "phase": "Running",
                    "podIP": status.get("podIP") or f"10.244.0.{next(self._addresses)}",
                    "conditions": [*conditions.drop(status.get("conditions"), "Ready"), ready],
                }
            }
            await self._client.patch(
                PODS, metadata["name"], metadata["namespace"], patch, subresource="status"
            )


@contextlib.asynccontextmanager
async def kubelet(client: Cluster, chance: random.Random) -> AsyncIterator[Kubelet]:
    """Run a kubelet on `client`."""
    one = Kubelet(client, chance)
    task = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
