"""
Record events on pods and on the node, as the kubelet does.

Recording never waits and never fails the caller: one task writes them in order. The same event again counts up the
one that exists.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from bookmesh.base.kubernetes import EVENTS, ApiError, Client, JsonObject
from bookmesh.kube.node import records

_log = logging.getLogger(__name__)
_REMEMBERED = 2048


@dataclass(frozen=True, slots=True)
class _Occurrence:
    subject: tuple[str, str, str, str, str]
    """apiVersion, kind, namespace, name, uid"""
    field_path: str
    type: str
    reason: str
    message: str


@dataclass(slots=True)
class _Written:
    name: str
    count: int


class EventRecorder:
    """`run` must be running for events to reach the API; what is recorded before that is kept."""

    def __init__(self, client: Client, *, node_name: str) -> None:
        self._client = client
        self._node_name = node_name
        self._queue: asyncio.Queue[tuple[_Occurrence, datetime.datetime]] = asyncio.Queue()
        self._written: OrderedDict[_Occurrence, _Written] = OrderedDict()

    def normal(self, pod: JsonObject, reason: str, message: str, *, container: str = "") -> None:
        self._record("Normal", pod, reason, message, container)

    def warning(self, pod: JsonObject, reason: str, message: str, *, container: str = "") -> None:
        self._record("Warning", pod, reason, message, container)

    async def run(self) -> None:
        """Write what is recorded, for ever."""
        while True:
            occurrence, moment = await self._queue.get()
            try:
                await self._write(occurrence, moment)
            except ApiError as error:
                # Nothing depends on an event; a namespace that is being deleted, for one, takes no new objects.
                _log.debug("event %s not written: %s", occurrence.reason, error.message)
            finally:
                self._queue.task_done()

    async def drained(self) -> None:
        """Wait until all that was recorded has been written."""
        await self._queue.join()

    def _record(
        self, kind: Literal["Normal", "Warning"], pod: JsonObject, reason: str, message: str, container: str
    ) -> None:
        metadata = pod["metadata"]
        subject = ("v1", "Pod", metadata["namespace"], metadata["name"], metadata.get("uid", ""))
        field_path = field_path_of(pod, container) if container else ""
        occurrence = _Occurrence(subject, field_path, kind, reason, message[:1024])
        self._queue.put_nowait((occurrence, datetime.datetime.now(datetime.UTC)))

    async def _write(self, occurrence: _Occurrence, moment: datetime.datetime) -> None:
        namespace = occurrence.subject[2]
        known = self._written.get(occurrence)
        if known is not None:
            patch = {"count": known.count + 1, "lastTimestamp": records.format_time(moment)}
            try:
                await self._client.patch(EVENTS, known.name, namespace, patch)
                known.count += 1
                self._written.move_to_end(occurrence)
                return
            except ApiError as error:
                if error.code != 404:
                    raise
        event = self._build(occurrence, moment)
        await self._client.create(EVENTS, event)
        self._written[occurrence] = _Written(event["metadata"]["name"], 1)
        while len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)

    def _build(self, occurrence: _Occurrence, moment: datetime.datetime) -> JsonObject:
        api_version, kind, namespace, name, uid = occurrence.subject
        involved = {"apiVersion": api_version, "kind": kind, "namespace": namespace, "name": name, "uid": uid}
        if occurrence.field_path:
            involved["fieldPath"] = occurrence.field_path
        when = records.format_time(moment)
        return {
            "apiVersion": "v1",
            "kind": "Event",
            # Names sort by time, so that a list of them is in the order things happened.
            "metadata": {"name": f"{name[:220]}.{time.time_ns():x}", "namespace": namespace},
            "involvedObject": involved,
            "type": occurrence.type,
            "reason": occurrence.reason,
            "message": occurrence.message,
            "source": {"component": "kubelet", "host": self._node_name},
            "reportingComponent": "kubelet",
            "reportingInstance": self._node_name,
            "firstTimestamp": when,
            "lastTimestamp": when,
            "count": 1,
        }


def field_path_of(pod: JsonObject, container: str) -> str:
    """The field path by which events name a container: `spec.initContainers{istio-proxy}`."""
    part = next(
        (
            part
            for part in ("initContainers", "ephemeralContainers")
            if any(item["name"] == container for item in pod["spec"].get(part) or [])
        ),
        "containers",
    )
    return f"spec.{part}{{{container}}}"
