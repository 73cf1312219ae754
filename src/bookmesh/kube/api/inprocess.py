"""
The Kubernetes client for everybody in this process: controllers, node, control plane.

No HTTP and no copy, but the same defaulting, admission and validation as for kubectl.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal

from bookmesh.base.kubernetes import JsonObject, ObjectList, PatchType, Resource, WatchEvent
from bookmesh.kube.api import authentication, deleting, statuses, verbs, writing
from bookmesh.kube.store import records


class InProcessClient:
    """Implements `base.kubernetes.Client` over `Verbs`; objects are in the version of the resource asked for."""

    def __init__(self, over: verbs.Verbs, *, manager: str = "bookmesh", is_own: bool = False) -> None:
        """
        Args:
            manager: the name under which `metadata.managedFields` shows what is written through this client; webhooks
                see the user `system:<manager>`.
            is_own: what is written belongs to the server itself, and no webhook is asked about it.
        """
        self._verbs = over
        self._user = authentication.User(f"system:{manager}", ("system:authenticated",))
        self._options = writing.WriteOptions(
            field_validation="Ignore", manager=manager, user=self._user, is_own=is_own
        )

    async def get(self, resource: Resource, name: str, namespace: str = "") -> JsonObject:
        """Return one object; 404 when there is none."""
        kind = self._verbs.kind_of(resource)
        return verbs.present(kind, self._verbs.get(resource, name, namespace).object)

    async def list(self, resource: Resource, namespace: str = "") -> ObjectList:
        """Return every object in (namespace, name) order."""
        kind = self._verbs.kind_of(resource)
        found = self._verbs.list(resource, namespace)
        items = [verbs.present(kind, stored.object) for stored in found]
        return ObjectList(items, str(self._verbs.store.version))

    async def watch(
        self, resource: Resource, namespace: str = "", *, since: str
    ) -> AsyncIterator[WatchEvent]:
        """Yield changes after `since`; raises 410 `Expired`, at the start or when the reader is too slow."""
        kind = self._verbs.kind_of(resource)
        if not since.isdecimal():
            raise statuses.bad_request(f"Invalid value: {since!r}: resourceVersion must be a number")
        try:
            changes = self._verbs.store.watch(
                verbs.group_resource(kind), namespace if kind.namespaced else "", since=int(since)
            )
            try:
                async for change in changes:
                    yield WatchEvent(change.type, verbs.present(kind, change.stored.object))
            finally:
                changes.close()
        except records.Expired as error:
            raise statuses.expired(str(error)) from error

    async def create(self, resource: Resource, body: JsonObject) -> JsonObject:
        """Create an object in the namespace its metadata names."""
        written = await self._verbs.request_create(resource, body, options=self._options)
        return written.object

    async def update(self, resource: Resource, body: JsonObject, *, subresource: str = "") -> JsonObject:
        """Replace an object, conditionally when `metadata.resourceVersion` is there."""
        fields = body["metadata"]
        written = await self._verbs.request_update(
            resource,
            fields["name"],
            fields.get("namespace", ""),
            body,
            subresource=subresource,
            options=self._options,
        )
        return written.object

    async def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str,
        patch: Any,
        *,
        patch_type: PatchType = "merge",
        subresource: str = "",
    ) -> JsonObject:
        """Apply a patch to the object as it is now."""
        written = await self._verbs.request_patch(
            resource,
            name,
            namespace,
            patch,
            patch_type=patch_type,
            subresource=subresource,
            options=self._options,
        )
        return written.object

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        grace_s: int | None = None,
        propagation: Literal["Background", "Foreground", "Orphan"] | None = None,
        uid: str | None = None,
    ) -> None:
        """Ask for deletion; what holds the object may keep it for a while."""
        options = deleting.DeleteOptions(
            grace_s=grace_s,
            propagation=propagation,
            uid=uid,
            user=self._user,
            is_own=self._options.is_own,
        )
        await self._verbs.request_delete(resource, name, namespace, options=options)
