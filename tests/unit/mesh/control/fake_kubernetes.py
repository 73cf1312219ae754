"""An API server of one dictionary: implements `bookmesh.base.kubernetes.Client` as far as the mesh uses it."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

from bookmesh.base.kubernetes import ApiError, ObjectList, Resource, WatchEvent

EXPIRED = ApiError(410, "Expired", "too old resource version")


class FakeClient:
    """`put` and `remove` act as somebody else. `failures` maps (verb, plural) to errors raised once, in order."""

    def __init__(self) -> None:
        self.version = 0
        self.objects: dict[tuple[Resource, str, str], dict[str, Any]] = {}
        self.failures: dict[tuple[str, str], list[Exception]] = {}
        self.calls: list[tuple[str, str, str]] = []
        self.absent: set[str] = set()
        self._watchers: dict[Resource, list[asyncio.Queue[WatchEvent | Exception | None]]] = {}

    def put(self, resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
        stored = copy.deepcopy(obj)
        metadata = stored["metadata"]
        key = (resource, metadata.get("namespace", ""), metadata["name"])
        before = self.objects.get(key)
        self.version += 1
        uid = before["metadata"]["uid"] if before else metadata.get("uid", f"uid-{self.version}")
        metadata.update(resourceVersion=str(self.version), uid=uid)
        self.objects[key] = stored
        self._notify(resource, WatchEvent("MODIFIED" if before else "ADDED", stored))
        return stored

    def remove(self, resource: Resource, name: str, namespace: str = "") -> None:
        self.version += 1
        self._notify(resource, WatchEvent("DELETED", self.objects.pop((resource, namespace, name))))

    def end_watches(self, resource: Resource, error: Exception | None = None) -> None:
        for queue in self._watchers.pop(resource, []):
            queue.put_nowait(error)

    def watchers(self, resource: Resource) -> int:
        return len(self._watchers.get(resource, []))

    async def get(self, resource: Resource, name: str, namespace: str = "") -> dict[str, Any]:
        self._called("get", resource, name)
        try:
            return self.objects[resource, namespace, name]
        except KeyError:
            raise ApiError(404, "NotFound", f"{resource.plural} {name} not found") from None

    async def list(self, resource: Resource, namespace: str = "") -> ObjectList:
        self._called("list", resource, "")
        items = [obj for (kind, _, _), obj in sorted(self.objects.items()) if kind == resource]
        return ObjectList(items, str(self.version))

    async def watch(self, resource: Resource, namespace: str = "", *, since: str):
        self._called("watch", resource, "")
        queue: asyncio.Queue[WatchEvent | Exception | None] = asyncio.Queue()
        self._watchers.setdefault(resource, []).append(queue)
        while (event := await queue.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    async def create(self, resource: Resource, body: dict[str, Any]) -> dict[str, Any]:
        metadata = body["metadata"]
        self._called("create", resource, metadata["name"])
        if (resource, metadata.get("namespace", ""), metadata["name"]) in self.objects:
            raise ApiError(409, "AlreadyExists", f"{metadata['name']} already exists")
        return self.put(resource, body)

    async def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str,
        patch: Any,
        *,
        patch_type: str = "merge",
        subresource: str = "",
    ) -> dict[str, Any]:
        self._called("patch", resource, name)
        current = await self.get(resource, name, namespace)
        assert subresource != "status" or patch.keys() == {"status"}
        return self.put(resource, _merge(current, patch))

    async def update(
        self, resource: Resource, body: dict[str, Any], *, subresource: str = ""
    ) -> dict[str, Any]:
        raise NotImplementedError

    async def delete(self, resource: Resource, name: str, namespace: str = "", **options: Any) -> None:
        raise NotImplementedError

    def _called(self, verb: str, resource: Resource, name: str) -> None:
        self.calls.append((verb, resource.plural, name))
        if resource.plural in self.absent:
            raise ApiError(404, "NotFound", f"the server could not find {resource.plural}")
        if planned := self.failures.get((verb, resource.plural)):
            raise planned.pop(0)

    def _notify(self, resource: Resource, event: WatchEvent) -> None:
        for queue in self._watchers.get(resource, []):
            queue.put_nowait(event)


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged


async def until(condition, *, within_s: float = 20.0) -> None:
    """Return when `condition()` holds; fails the test after a deadline."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.002)
