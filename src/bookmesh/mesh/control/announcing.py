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
        self._mirrors = {**mirrors, **self._without_status}
        self._changed = {kind: mirror.follow() for kind, mirror in self._mirrors.items()}
        self._clock = clock
        self._wanted: dict[ObjectRef, list[Finding]] = {}
        self._pending: dict[ObjectRef, None] = {}
        self._announced: dict[ObjectRef, frozenset[tuple[str, Finding]]] = {}
        self._wake = asyncio.Event()

    def report(self, findings: Sequence[Finding]) -> None:
        """Replace the findings in force."""
        wanted = reporting.by_subject(findings)
        refs = dict.fromkeys((*wanted, *self._wanted))
        self._pending |= {ref: None for ref in refs if wanted.get(ref) != self._wanted.get(ref)}
        self._wanted = wanted
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
        """Look at the objects that changed, or about which there is something else to say."""
        for kind, changed in self._changed.items():
            self._pending |= {ObjectRef(kind, name, namespace): None for namespace, name in changed.take()}
        for position, ref in enumerate(list(self._pending), start=1):
            if position % _SLICE == 0:
                await asyncio.sleep(0)
            del self._pending[ref]
            try:
                await self._announce_about(ref)
            except (ApiError, OSError):
                self._pending[ref] = None
                raise

    async def _announce_about(self, ref: ObjectRef) -> None:
        mirror = self._mirrors.get(ref.kind)
        subject = mirror.get(ref.namespace, ref.name) if mirror is not None else None
        if mirror is None or subject is None:
            self._announced.pop(ref, None)
            return
        findings = self._wanted.get(ref, [])
        if ref.kind not in self._without_status:
            await self._write_status(mirror.resource, subject, findings)
        uid = subject["metadata"].get("uid", "")
        before, told = (
            self._announced.get(ref, frozenset()),
            frozenset((uid, finding) for finding in findings),
        )
        for finding in findings:
            if (uid, finding) not in before:
                await self._write_event(finding, subject)
        if told:
            self._announced[ref] = told
        else:
            self._announced.pop(ref, None)

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
