"""
Event objects: what happened to an object, in the words people know from `kubectl describe`.

The same thing happening again within `SAME_FOR_S` raises the count of the Event there is. An Event that cannot be
written is logged and given up: telling must never get in the way of doing.
"""

from __future__ import annotations

import itertools
import logging
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from bookmesh.base.kubernetes import EVENTS, ApiError, Client, JsonObject
from bookmesh.kube.controllers import actions, conditions

logger = logging.getLogger(__name__)

SAME_FOR_S = 600.0
REMEMBERED = 1024


class _Told(NamedTuple):
    namespace: str
    name: str
    times: int
    at: datetime


class Recorder:
    """Writes the Events of all controllers."""

    def __init__(self, client: Client, *, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now
        self._serials = itertools.count()
        self._told: OrderedDict[tuple[str, str, str, str], _Told] = OrderedDict()

    async def tell(self, event: actions.Event, *, source: str) -> None:
        """Create the Event, or count it up; `source` names the controller."""
        now = self._now()
        key = (event.regarding["metadata"]["uid"], event.reason, event.message, source)
        told = self._told.pop(key, None)
        try:
            if told is not None and (now - told.at).total_seconds() < SAME_FOR_S:
                told = await self._count_up(told, now)
            else:
                told = None
            if told is None:
                body = build_event(event, source=source, now=now, serial=next(self._serials))
                await self._client.create(EVENTS, body)
                told = _Told(body["metadata"]["namespace"], body["metadata"]["name"], 1, now)
        except ApiError as error:
            logger.info(
                "event %s about %s not written: %s", event.reason, event.regarding["metadata"]["name"], error
            )
            return
        self._told[key] = told
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    async def _count_up(self, told: _Told, now: datetime) -> _Told | None:
        patch = {"count": told.times + 1, "lastTimestamp": conditions.format_time(now)}
        try:
            await self._client.patch(EVENTS, told.name, told.namespace, patch)
        except ApiError as error:
            if error.code != 404:
                raise
            return None
        return _Told(told.namespace, told.name, told.times + 1, now)


def build_event(event: actions.Event, *, source: str, now: datetime, serial: int) -> JsonObject:
    """
    Build the core/v1 Event; one about a cluster-scoped object lives in namespace `default`.

    `serial` tells the names of events of the same microsecond apart.
    """
    metadata = event.regarding["metadata"]
    namespace = metadata.get("namespace") or "default"
    moment = conditions.format_time(now)
    regarding = {
        "apiVersion": event.regarding.get("apiVersion", ""),
        "kind": event.regarding.get("kind", ""),
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata.get("resourceVersion", ""),
    }
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "namespace": namespace,
            "name": f"{metadata['name']}.{_nanoseconds(now) + serial % 1000:x}",
        },
        "involvedObject": {key: value for key, value in regarding.items() if value},
        "reason": event.reason,
        "message": event.message,
        "type": event.type,
        "source": {"component": source},
        "reportingComponent": source,
        "reportingInstance": "",
        "count": 1,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "eventTime": None,
    }


def _nanoseconds(moment: datetime) -> int:
    seconds = int(moment.timestamp())
    return seconds * 1_000_000_000 + moment.microsecond * 1000
