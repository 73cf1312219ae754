"""Deletes Events an hour after they were last written, as a real API server's store lets go of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bookmesh.base.kubernetes import EVENTS, JsonObject
from bookmesh.kube.controllers import actions, conditions, owners, runner

NAME: Final = "event-expiry-controller"
_KEPT: Final = timedelta(hours=1)


def reconcile(desired: JsonObject, now: datetime) -> actions.Actions:
    """Delete one event, or come back when it is time to."""
    if owners.is_being_deleted(desired):
        return ()
    left_s = (_written_at(desired) + _KEPT - now).total_seconds()
    return (actions.Requeue(left_s),) if left_s > 0 else (actions.delete_of(EVENTS, desired),)


def _written_at(event: JsonObject) -> datetime:
    """When it was last written, by the server's clock; what the event itself says may be anything."""
    metadata = event["metadata"]
    entries = metadata.get("managedFields") or ()
    times = [metadata["creationTimestamp"], *(each["time"] for each in entries if each.get("time"))]
    return max(map(conditions.parse_time, times))


async def _observe(key: runner.Key, desired: JsonObject, view: runner.View) -> datetime:
    return view.now


CONTROLLER: Final = runner.Controller(
    name=NAME, watches=(runner.own_keys(EVENTS),), observe=_observe, reconcile=reconcile, workers=1
)
