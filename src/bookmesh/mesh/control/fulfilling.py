"""
Bringing a cluster in line with what a conversion of the Gateway API says: statuses, and what Gateways need.

Runs beside the push loop, so that a slow API never delays a push. Nothing is written that is there already, also not
after a restart. What Gateways need is looked at when it changes, and every 30 seconds for what others did to it. An
object by the name of one we need, which is not ours, is left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from bookmesh.base.findings import ObjectRef
from bookmesh.base.kubernetes import ApiError, Client, JsonObject, Resource
from bookmesh.mesh.control.mirroring import Mirror
from bookmesh.mesh.gateway_api import classes, converting, deployments, statuses
from bookmesh.mesh.model.gateway_api import kinds as gateway_kinds

RETRY_PAUSE_S: Final = 1.0
RESYNC_S: Final = 30.0
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
        self._ensured: tuple[tuple[Resource, JsonObject], ...] = ()

    def report(self, conversion: converting.Conversion) -> None:
        """Replace what is asked for."""
        self._conversion = conversion
        self._wake.set()

    async def run(self) -> None:
        """Fulfil until cancelled."""
        while True:
            await self._changed_or_due()
            try:
                await self._ensure_class()
                await self._ensure_all(self._conversion.deployed)
                await self._write_statuses()
            except (ApiError, OSError) as error:
                _log.warning("fulfilling Gateways: %s; trying again", error)
                self._ensured = ()
                await asyncio.sleep(RETRY_PAUSE_S)
                self._wake.set()

    async def _changed_or_due(self) -> None:
        """Wait for a report; after a while everything is looked at without one."""
        try:
            async with asyncio.timeout(RESYNC_S):
                await self._wake.wait()
        except TimeoutError:
            self._ensured = ()
        self._wake.clear()

    async def _ensure_all(self, deployed: Sequence[tuple[Resource, JsonObject]]) -> None:
        """See to it that all is there as it should be, except what was seen to before."""
        for each in deployed:
            if each not in self._ensured:
                await self._ensure(*each)
        self._ensured = tuple(deployed)

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

    async def _ensure(self, resource: Resource, wanted: JsonObject) -> None:
        metadata = wanted["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        try:
            seen = await self._client.get(resource, name, namespace)
        except ApiError as error:
            if error.code != 404:
                raise
            await self._create(resource, wanted)
            return
        if not _is_owned(seen, wanted):
            _log.warning("%s %s/%s is not ours: left alone", resource.plural, namespace, name)
            return
        patch = deployments.changes(wanted, seen)
        if patch:
            await self._client.patch(resource, name, namespace, patch)

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
                    await self._write(mirror.resource, metadata["name"], namespace, status)

    async def _write(self, resource: Resource, name: str, namespace: str, status: JsonObject) -> None:
        try:
            await self._client.patch(resource, name, namespace, {"status": status}, subresource="status")
        except ApiError as error:
            if error.code != 404:  # gone meanwhile: nobody is left to tell
                raise


def _is_owned(seen: JsonObject, wanted: JsonObject) -> bool:
    owners = {each.get("uid") for each in seen["metadata"].get("ownerReferences") or ()}
    return any(each["uid"] in owners for each in wanted["metadata"]["ownerReferences"])
