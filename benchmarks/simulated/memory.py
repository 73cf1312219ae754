"""An API server of one dictionary, with watches: the least that a control plane needs."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import JsonObject, ObjectList, Resource, WatchEvent


class MemoryClient:
    """Implements `bookmesh.base.kubernetes.Client` as far as the control plane uses it; `put` and `remove` write."""

    def __init__(self) -> None:
        self._objects: defaultdict[Resource, dict[tuple[str, str], JsonObject]] = defaultdict(dict)
        self._watchers: defaultdict[Resource, list[asyncio.Queue[WatchEvent]]] = defaultdict(list)
        self._version = 0

    def put(self, resource: Resource, obj: JsonObject) -> None:
        """Create or replace; the object is ours from now on."""
        metadata = obj["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        self._version += 1
        before = self._objects[resource].get(key)
        metadata["resourceVersion"] = str(self._version)
        metadata["uid"] = before["metadata"]["uid"] if before else f"uid-{self._version}"
        self._objects[resource][key] = obj
        self._tell(resource, WatchEvent("MODIFIED" if before else "ADDED", obj))

    def remove(self, resource: Resource, name: str, namespace: str) -> None:
        """Delete an object, which must be there."""
        self._version += 1
        obj = self._objects[resource].pop((namespace, name))
        obj["metadata"]["resourceVersion"] = str(self._version)
        self._tell(resource, WatchEvent("DELETED", obj))

    def _tell(self, resource: Resource, event: WatchEvent) -> None:
        for queue in self._watchers[resource]:
            queue.put_nowait(event)

    async def get(self, resource: Resource, name: str, namespace: str = "") -> JsonObject:
        found = self._objects[resource].get((namespace, name))
        if found is None:
            raise kubernetes.not_found(resource, name)
        return found

    async def list(self, resource: Resource, namespace: str = "") -> ObjectList:
        return ObjectList(list(self._objects[resource].values()), str(self._version))

    async def watch(
        self, resource: Resource, namespace: str = "", *, since: str
    ) -> AsyncIterator[WatchEvent]:
        queue: asyncio.Queue[WatchEvent] = asyncio.Queue()
        self._watchers[resource].append(queue)
        while True:
            yield await queue.get()

    async def create(self, resource: Resource, body: JsonObject) -> JsonObject:
        self.put(resource, body)
        return body

    async def patch(
        self, resource: Resource, name: str, namespace: str, patch: Any, **options: Any
    ) -> JsonObject:
        patched: JsonObject = {**await self.get(resource, name, namespace), **patch}
        self.put(resource, patched)
        return patched

    async def update(self, resource: Resource, body: JsonObject, **options: Any) -> JsonObject:
        raise NotImplementedError

    async def delete(self, resource: Resource, name: str, namespace: str = "", **options: Any) -> None:
        raise NotImplementedError
