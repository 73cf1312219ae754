"""
A Kubernetes API in memory, as far as controllers can tell it from a real one.

Versions, conditional writes, status apart from the rest, generations, grace for pods on a node, finalizers, and a
watch history that can be compacted (410). Writes are kept in `log`; refusals can be planted with `refuse`; `pace`
tells how many turns of the event loop a request waits before and after it happens, and news before it is told.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject, ObjectList, Resource, WatchEvent, copy_json

Place = tuple[str, str]
CREATED = "2026-08-01T12:00:00Z"
_POLICIES = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


class FakeClient:
    """Implements `base.kubernetes.Client`."""

    def __init__(self) -> None:
        self.objects: dict[Resource, dict[Place, JsonObject]] = defaultdict(dict)
        self.unserved: set[Resource] = set()
        self.log: list[str] = []
        self.lists: list[Resource] = []
        self.on_write: list[Callable[[], None]] = []
        self.clock = CREATED
        self.pace: Callable[[], int] = lambda: 0
        self._versions = itertools.count(1)
        self._version = 0
        self._uids = itertools.count(1)
        self._history: dict[Resource, list[tuple[int, WatchEvent]]] = defaultdict(list)
        self._oldest = 0
        self._pulse = asyncio.Event()
        self._refusals: list[tuple[str, Resource, ApiError]] = []

    def refuse(self, verb: str, resource: Resource, error: ApiError, *, times: int = 1) -> None:
        """Answer the next requests of this kind with an error."""
        self._refusals.extend([(verb, resource, error)] * times)

    def compact(self) -> None:
        """Forget the history: every watch that is open or comes with an old version gets 410."""
        self._oldest = self._version
        for events in self._history.values():
            events.clear()
        self._wake()

    def find(self, resource: Resource, name: str, namespace: str = "default") -> JsonObject | None:
        return self.objects[resource].get((namespace, name))

    def all(self, resource: Resource) -> list[JsonObject]:
        return [self.objects[resource][place] for place in sorted(self.objects[resource])]

    async def get(self, resource: Resource, name: str, namespace: str = "") -> JsonObject:
        await self._wait()
        self._check("get", resource)
        return self._stored(resource, name, namespace)

    async def list(self, resource: Resource, namespace: str = "") -> ObjectList:
        await self._wait()
        self._check("list", resource)
        self.lists.append(resource)
        items = [
            obj for obj in self.all(resource) if not namespace or obj["metadata"]["namespace"] == namespace
        ]
        listed = ObjectList(items, str(self._version))
        await self._wait()
        return listed

    async def watch(
        self, resource: Resource, namespace: str = "", *, since: str
    ) -> AsyncIterator[WatchEvent]:
        self._check("watch", resource)
        position = int(since)
        while True:
            if position < self._oldest:
                raise ApiError(410, "Expired", f"too old resource version: {position} ({self._oldest})")
            pulse = self._pulse
            for version, event in list(self._history[resource]):
                if version > position:
                    position = version
                    await self._wait()
                    yield event
            if pulse is self._pulse:
                await pulse.wait()

    async def create(self, resource: Resource, body: JsonObject) -> JsonObject:
        await self._wait()
        self._check("create", resource)
        obj = copy_json(body)
        metadata = obj["metadata"]
        place = (metadata.get("namespace", ""), metadata["name"])
        if place in self.objects[resource]:
            raise ApiError(409, "AlreadyExists", f'{resource.qualified} "{place[1]}" already exists')
        metadata.setdefault("uid", f"uid-{next(self._uids)}")
        metadata.setdefault("creationTimestamp", self.clock)
        metadata["generation"] = 1
        self._store("ADDED", resource, obj)
        self.log.append(f"create {resource.plural} {place[1]}")
        created = self.objects[resource][place]
        self._written()
        await self._wait()
        return created

    async def update(self, resource: Resource, body: JsonObject, *, subresource: str = "") -> JsonObject:
        await self._wait()
        self._check("update", resource)
        metadata = body["metadata"]
        replaced = self._replace(resource, copy_json(body), subresource, metadata.get("namespace", ""))
        await self._wait()
        return replaced

    async def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str,
        patch: Any,
        *,
        patch_type: kubernetes.PatchType = "merge",
        subresource: str = "",
    ) -> JsonObject:
        await self._wait()
        self._check("patch", resource)
        assert patch_type == "merge"
        current = copy_json(self._stored(resource, name, namespace))
        current["metadata"].pop("resourceVersion")
        replaced = self._replace(resource, _merged(current, patch), subresource, namespace)
        await self._wait()
        return replaced

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        grace_s: int | None = None,
        propagation: str | None = None,
        uid: str | None = None,
    ) -> None:
        await self._wait()
        self._check("delete", resource)
        current = self._stored(resource, name, namespace)
        if uid is not None and current["metadata"]["uid"] != uid:
            raise kubernetes.conflict(resource, name, "the uid is another")
        self.log.append(f"delete {resource.plural} {name}")
        obj = copy_json(current)
        metadata = obj["metadata"]
        if propagation in _POLICIES and _POLICIES[propagation] not in metadata.get("finalizers", []):
            metadata["finalizers"] = [*metadata.get("finalizers", []), _POLICIES[propagation]]
        has_grace = resource == kubernetes.PODS and obj["spec"].get("nodeName") and grace_s != 0
        if metadata.get("finalizers") or has_grace or _is_held(resource, obj):
            if "deletionTimestamp" not in metadata:
                metadata["deletionTimestamp"] = self.clock
                metadata["generation"] = metadata.get("generation", 0) + 1
                self._store("MODIFIED", resource, obj)
        else:
            self._remove(resource, obj)
        self._written()
        await self._wait()

    async def _wait(self) -> None:
        for _ in range(self.pace()):
            await asyncio.sleep(0)

    def _replace(self, resource: Resource, obj: JsonObject, subresource: str, namespace: str) -> JsonObject:
        name = obj["metadata"]["name"]
        current = self._stored(resource, name, namespace)
        version = obj["metadata"].get("resourceVersion")
        if version and version != current["metadata"]["resourceVersion"]:
            raise kubernetes.conflict(resource, name, "the object has been modified")
        result = copy_json(current)
        if subresource == "status":
            result["status"] = obj.get("status", {})
        elif subresource == "finalize":
            result["spec"] = obj["spec"]
        else:
            result = {**obj, **({"status": current["status"]} if "status" in current else {})}
            result["metadata"] = {
                **obj["metadata"],
                "resourceVersion": current["metadata"]["resourceVersion"],
            }
            if obj.get("spec") != current.get("spec"):
                result["metadata"]["generation"] = current["metadata"].get("generation", 0) + 1
        if result != current:
            self.log.append(f"update {resource.plural} {name}{'/' + subresource if subresource else ''}")
            metadata = result["metadata"]
            is_pod_there = resource == kubernetes.PODS and result["spec"].get("nodeName")
            is_over = "deletionTimestamp" in metadata and not metadata.get("finalizers") and not is_pod_there
            if is_over and not _is_held(resource, result):
                self._remove(resource, result)
                self._written()
                return result
            self._store("MODIFIED", resource, result)
            self._written()
        return self.objects[resource][(namespace, name)]

    def _stored(self, resource: Resource, name: str, namespace: str) -> JsonObject:
        obj = self.objects[resource].get((namespace, name))
        if obj is None:
            raise kubernetes.not_found(resource, name)
        return obj

    def _store(self, event: kubernetes.EventType, resource: Resource, obj: JsonObject) -> None:
        self._version = next(self._versions)
        obj["metadata"]["resourceVersion"] = str(self._version)
        self.objects[resource][(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])] = obj
        self._history[resource].append((self._version, WatchEvent(event, obj)))
        self._wake()

    def _remove(self, resource: Resource, obj: JsonObject) -> None:
        self._version = next(self._versions)
        last = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self._version)}}
        del self.objects[resource][(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])]
        self._history[resource].append((self._version, WatchEvent("DELETED", last)))
        self._wake()

    def _check(self, verb: str, resource: Resource) -> None:
        for refusal in self._refusals:
            if refusal[:2] == (verb, resource):
                self._refusals.remove(refusal)
                raise refusal[2]
        if resource in self.unserved:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")

    def _wake(self) -> None:
        pulse, self._pulse = self._pulse, asyncio.Event()
        pulse.set()

    def _written(self) -> None:
        for callback in self.on_write:
            callback()


def _is_held(resource: Resource, obj: JsonObject) -> bool:
    return resource == kubernetes.NAMESPACES and bool(obj["spec"].get("finalizers"))


def _merged(current: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged
