"""
Carries actions out against the API and tells the shared copies what came of it.

In order; the first refusal ends the pass and the key is looked at again. Within a pass a second write to an object
builds on the first: its condition is moved to the version which our own write made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from bookmesh.base import names
from bookmesh.base.kubernetes import ApiError, Client, JsonObject, Resource
from bookmesh.kube.controllers import actions, informers, recording

NAME_TRIES = 8

_Versions: TypeAlias = dict[tuple[Resource, str, str], tuple[str, str]]


class Applier:
    """Used by all controllers; keeps nothing between passes."""

    def __init__(
        self,
        client: Client,
        caches: informers.Informers,
        recorder: recording.Recorder,
        *,
        suffix: Callable[[], str],
    ) -> None:
        self._client = client
        self._caches = caches
        self._recorder = recorder
        self._suffix = suffix

    async def apply(self, wanted: actions.Actions, *, source: str) -> float | None:
        """
        Carry out the actions of one pass.

        Returns:
            After how many seconds to look again, the soonest that was asked for.

        Raises:
            ApiError: the server refused one; those after it were not tried.
        """
        versions: _Versions = {}
        again_s: list[float] = []
        for action in wanted:
            match action:
                case actions.Requeue(after_s):
                    again_s.append(after_s)
                case actions.Event():
                    await self._recorder.tell(action, source=source)
                case actions.Delete():
                    await self._delete(action)
                    await self._tell(action.event, action.name, source)
                case _:
                    written = await self._write(action, versions)
                    if not _is_answered_with_a_scale(action):
                        self._observe(action.resource, written)
                    if not isinstance(action, actions.Patch):
                        await self._tell(action.event, written["metadata"]["name"], source)
        return min(again_s, default=None)

    async def _write(
        self, action: actions.Create | actions.Update | actions.Patch, versions: _Versions
    ) -> JsonObject:
        if isinstance(action, actions.Create):
            return await self._create(action.resource, action.object)
        if isinstance(action, actions.Update):
            metadata = action.object["metadata"]
            key = (action.resource, metadata.get("namespace", ""), metadata["name"])
            before = metadata.get("resourceVersion", "")
            body = {
                **action.object,
                "metadata": {**metadata, "resourceVersion": _moved(versions, key, before)},
            }
            written = await self._client.update(action.resource, body, subresource=action.subresource)
        else:
            key = (action.resource, action.namespace, action.name)
            before = action.version
            patch = action.patch
            if before:
                metadata = {**patch.get("metadata", {}), "resourceVersion": _moved(versions, key, before)}
                patch = {**patch, "metadata": metadata}
            written = await self._client.patch(
                action.resource,
                action.name,
                action.namespace,
                patch,
                patch_type=action.patch_type,
                subresource=action.subresource,
            )
        first = versions[key][0] if key in versions else before
        versions[key] = (first, written["metadata"]["resourceVersion"])
        return written

    async def _create(self, resource: Resource, obj: JsonObject) -> JsonObject:
        metadata = obj["metadata"]
        if metadata.get("name"):
            return await self._client.create(resource, obj)
        for _ in range(NAME_TRIES - 1):
            try:
                return await self._client.create(resource, self._named(obj))
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
        return await self._client.create(resource, self._named(obj))

    def _named(self, obj: JsonObject) -> JsonObject:
        metadata = obj["metadata"]
        name = names.generated_name(metadata["generateName"], self._suffix())
        return {**obj, "metadata": {**metadata, "name": name}}

    async def _delete(self, action: actions.Delete) -> None:
        resource, namespace, name, uid = action.resource, action.namespace, action.name, action.uid
        try:
            await self._client.delete(
                resource,
                name,
                namespace,
                grace_s=action.grace_s,
                propagation=action.propagation,
                uid=uid,
            )
            left = await self._client.get(resource, name, namespace)
        except ApiError as error:
            if error.code == 409 and not await self._is_another(action):
                raise
            if error.code not in (404, 409):
                raise
            left = None
        informer = self._caches.known(resource)
        if informer is None:
            return
        if left is not None and left["metadata"]["uid"] == uid:
            informer.observe(left)
        else:
            informer.forget(namespace, name, uid)

    async def _is_another(self, action: actions.Delete) -> bool:
        """Tell whether a 409 means that the object is gone and another one has its name."""
        try:
            there = await self._client.get(action.resource, action.name, action.namespace)
        except ApiError as error:
            if error.code != 404:
                raise
            return True
        return bool(there["metadata"]["uid"] != action.uid)

    def _observe(self, resource: Resource, written: JsonObject) -> None:
        informer = self._caches.known(resource)
        if informer is not None:
            informer.observe(written)

    async def _tell(self, event: actions.Event | None, name: str, source: str) -> None:
        if event is not None:
            told = actions.Event(
                event.regarding, event.reason, event.message.replace("{name}", name), event.type
            )
            await self._recorder.tell(told, source=source)


def _is_answered_with_a_scale(action: actions.Create | actions.Update | actions.Patch) -> bool:
    """What comes back then is no object of the resource, and must not stand for it in the copies."""
    return not isinstance(action, actions.Create) and action.subresource == "scale"


def _moved(versions: _Versions, key: tuple[Resource, str, str], version: str) -> str:
    first, last = versions.get(key, (version, version))
    return last if version == first else version
