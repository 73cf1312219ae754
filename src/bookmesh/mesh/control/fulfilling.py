"""
Bringing a cluster in line with what a conversion of the Gateway API says: statuses, and what Gateways need.

Runs beside the push loop, so that a slow API never delays a push. Nothing is written that is there already, also not
after a restart. What Gateways need is compared with a live copy of what is there, so what others delete or change is
put right at once; what the API refused is tried again after a while. An object by the name of one we need, which is
not ours, is left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from bookmesh.base.findings import ObjectRef
from bookmesh.base.kubernetes import ApiError, Client, JsonObject, Resource
from bookmesh.mesh.control.mirroring import Mirror
from bookmesh.mesh.gateway_api import classes, converting, deployments, statuses
from bookmesh.mesh.model.gateway_api import kinds as gateway_kinds

RETRY_PAUSE_S: Final = 1.0
REFUSED_PAUSE_S: Final = 30.0
_CLASSES: Final = gateway_kinds.KINDS[0]

_log = logging.getLogger(__name__)


class Fulfiller:
    """Tell it the newest conversion with `report`; `run` does what it asks for."""

    def __init__(
        self, client: Client, mirrors: Mapping[str, Mirror], *, clock: Callable[[], datetime]
    ) -> None:
        """`mirrors` by kind as references name it: those of the Gateway API."""
        self._client = client
        self._mirrors = mirrors
        self._clock = clock
        self._conversion = converting.Conversion()
        self._wake = asyncio.Event()
        self._deployed = {
            resource: Mirror(client, resource, on_change=self._wake.set) for resource in deployments.RESOURCES
        }
        self._left_alone: set[tuple[Resource, str, str]] = set()

    def report(self, conversion: converting.Conversion) -> None:
        """Replace what is asked for."""
        self._conversion = conversion
        self._wake.set()

    async def run(self) -> None:
        """Fulfil until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for mirror in self._deployed.values():
                tasks.create_task(mirror.run())
            tasks.create_task(self._fulfil())

    async def _fulfil(self) -> None:
        while True:
            await self._changed_or_due()
            try:
                await self._ensure_class()
                for resource, wanted in self._conversion.deployed:
                    await self._try_to_ensure(resource, wanted)
                await self._write_statuses()
            except (ApiError, OSError) as error:
                _log.warning("fulfilling Gateways: %s; trying again", error)
                await asyncio.sleep(RETRY_PAUSE_S)
                self._wake.set()

    async def _changed_or_due(self) -> None:
        """Wait for a report or a change; after a while everything is looked at without one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REFUSED_PAUSE_S):
                await self._wake.wait()
        self._wake.clear()

    async def _ensure_class(self) -> None:
        """The class of our Gateways is there whenever its kind is."""
        mirror = self._mirrors[_CLASSES.name]
        if not mirror.is_served or mirror.get("", classes.DEFAULT_CLASS) is not None:
            return
        body = {
            "apiVersion": mirror.resource.api_version,
            "kind": _CLASSES.kind,
            "metadata": {"name": classes.DEFAULT_CLASS},
            "spec": {"controllerName": classes.CONTROLLER, "description": classes.DESCRIPTION},
        }
        await self._create(mirror.resource, body)

    async def _try_to_ensure(self, resource: Resource, wanted: JsonObject) -> None:
        """What somebody asked for may be nonsense to the API: that holds up nothing else."""
        try:
            await self._ensure(resource, wanted)
        except ApiError as error:
            if error.code not in (400, 422):
                raise
            metadata = wanted["metadata"]
            where = f"{resource.plural} {metadata['namespace']}/{metadata['name']}"
            _log.warning("%s cannot be made as it is asked for: %s", where, error)

    async def _ensure(self, resource: Resource, wanted: JsonObject) -> None:
        """See to it that an object is there as it should be; its mirror wakes us when it knows better."""
        name, namespace = wanted["metadata"]["name"], wanted["metadata"]["namespace"]
        mirror = self._deployed[resource]
        if not mirror.has_listed.is_set():
            return
        seen = mirror.get(namespace, name)
        if seen is None:
            await self._create(resource, wanted)
        elif not _is_owned(seen, wanted):
            self._leave_alone(resource, namespace, name)
        elif patch := deployments.changes(wanted, seen):
            await self._patch(resource, name, namespace, patch)

    def _leave_alone(self, resource: Resource, namespace: str, name: str) -> None:
        """Say so, once."""
        if (resource, namespace, name) not in self._left_alone:
            self._left_alone.add((resource, namespace, name))
            _log.warning("%s %s/%s is not ours: left alone", resource.plural, namespace, name)

    async def _create(self, resource: Resource, body: JsonObject) -> None:
        try:
            await self._client.create(resource, body)
        except ApiError as error:
            # Somebody was faster, or the kind, or the namespace, is going away.
            if error.code not in (403, 404, 409):
                raise

    async def _write_statuses(self) -> None:
        now = self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = self._conversion.statuses
        for kind, mirror in self._mirrors.items():
            for subject in mirror.objects():
                metadata = subject["metadata"]
                namespace = metadata.get("namespace", "")
                status = statuses.settle(
                    wanted.get(ObjectRef(kind, metadata["name"], namespace)),
                    subject.get("status") or {},
                    generation=metadata.get("generation", 0),
                    now=now,
                )
                if status is not None:
                    body = {"status": status}
                    await self._patch(
                        mirror.resource, metadata["name"], namespace, body, subresource="status"
                    )

    async def _patch(
        self, resource: Resource, name: str, namespace: str, patch: JsonObject, *, subresource: str = ""
    ) -> None:
        try:
            await self._client.patch(resource, name, namespace, patch, subresource=subresource)
        except ApiError as error:
            if error.code != 404:  # gone meanwhile: its mirror will tell
                raise


def _is_owned(seen: JsonObject, wanted: JsonObject) -> bool:
    owners = {each.get("uid") for each in seen["metadata"].get("ownerReferences") or ()}
    return any(each["uid"] in owners for each in wanted["metadata"]["ownerReferences"])
