"""
Writing findings onto the objects they are about. Runs beside the push loop, so that a slow API never delays a push.

What an object says already is read from the mirrors, so nothing is written twice, also not after a restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from bookmesh.base import kubernetes
from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.base.kubernetes import ApiError, Client, JsonObject, Resource
from bookmesh.mesh.control import reporting
from bookmesh.mesh.control.mirroring import Mirror

RETRY_PAUSE_S: Final = 1.0
_SLICE: Final = 50

_log = logging.getLogger(__name__)


class Announcer:
    """Tell it the findings in force with `report`; `run` brings statuses and Events in line with them."""

    def __init__(
        self,
        client: Client,
        mirrors: Mapping[str, Mirror],
        *,
        clock: Callable[[], datetime],
        without_status: Mapping[str, Mirror] | None = None,
    ) -> None:
        """`mirrors` by kind: the objects that may carry findings; those `without_status` get Events only."""
        self._client = client
        self._without_status = without_status or {}
        self._mirrors = mirrors
        self._clock = clock
        self._wanted: dict[ObjectRef, list[Finding]] = {}
        self._announced: set[tuple[str, Finding]] = set()
        self._wake = asyncio.Event()

    def report(self, findings: Sequence[Finding]) -> None:
        """Replace the findings in force."""
        self._wanted = reporting.by_subject(findings)
        self._wake.set()

    async def run(self) -> None:
        """Announce until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._announce()
            except (ApiError, OSError) as error:
                _log.warning("writing findings: %s; trying again", error)
                await asyncio.sleep(RETRY_PAUSE_S)
                self._wake.set()

    async def _announce(self) -> None:
        in_force: set[tuple[str, Finding]] = set()
        for kind, mirror in [*self._mirrors.items(), *self._without_status.items()]:
            for position, subject in enumerate(mirror.objects(), start=1):
                if position % _SLICE == 0:
                    await asyncio.sleep(0)
                if not self._wanted and not subject.get("status"):
                    continue  # most objects have never had a finding: there is nothing to write or to take back
                metadata = subject["metadata"]
                findings = self._wanted.get(
                    ObjectRef(kind, metadata["name"], metadata.get("namespace", "")), []
                )
                if kind not in self._without_status:
                    await self._write_status(mirror.resource, subject, findings)
                uid = metadata.get("uid", "")
                for finding in findings:
                    in_force.add((uid, finding))
                    if (uid, finding) not in self._announced:
                        await self._write_event(finding, subject)
                        self._announced.add((uid, finding))
        self._announced &= in_force

    async def _write_status(self, resource: Resource, subject: JsonObject, findings: list[Finding]) -> None:
        metadata = subject["metadata"]
        status = reporting.build_status(
            findings, subject.get("status") or {}, generation=metadata.get("generation", 0), now=self._now()
        )
        if status is None:
            return
        try:
            await self._client.patch(
                resource,
                metadata["name"],
                metadata.get("namespace", ""),
                {"status": status},
                subresource="status",
            )
        except ApiError as error:
            if error.code != 404:  # gone meanwhile: nobody is left to tell
                raise

    async def _write_event(self, finding: Finding, subject: JsonObject) -> None:
        event = reporting.build_event(finding, subject, now=self._now())
        try:
            await self._client.create(kubernetes.EVENTS, event)
        except ApiError as error:
            if error.code == 409:
                await self._repeat_event(event)
            elif error.code not in (403, 404):  # its namespace is going away
                raise

    async def _repeat_event(self, event: JsonObject) -> None:
        """The same finding came back: count it, as Kubernetes does."""
        name, namespace = event["metadata"]["name"], event["metadata"]["namespace"]
        before = await self._client.get(kubernetes.EVENTS, name, namespace)
        again = {"count": before.get("count", 1) + 1, "lastTimestamp": event["lastTimestamp"]}
        await self._client.patch(kubernetes.EVENTS, name, namespace, again)

    def _now(self) -> str:
        return self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")
