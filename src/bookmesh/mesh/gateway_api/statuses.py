"""
From what a status should say to what is written: times, generations, and the words of other controllers, are kept.

A condition keeps its time while it does not turn. Of `parents` and `ancestors` those of other controllers stay as they
are; a route that has nobody of ours left loses what we said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.gateway_api import classes

_OURS: Final = frozenset({classes.CONTROLLER, classes.MESH_CONTROLLER})
_SHARED: Final = {"parents": "parentRef", "ancestors": "ancestorRef"}


def settle(wanted: JsonObject | None, current: JsonObject, *, generation: int, now: str) -> JsonObject | None:
    """
    Build the status to write, as a merge patch; None when `current` says so already.

    Args:
        wanted: from a conversion; None for an object that is not ours, or no longer.
        now: RFC 3339.
    """
    settled: JsonObject = {}
    for name, identity in _SHARED.items():
        if wanted is None and not any(
            entry.get("controllerName") in _OURS for entry in current.get(name) or ()
        ):
            continue
        if (wanted is None and name in current) or (wanted is not None and name in wanted):
            entries = (wanted or {}).get(name, [])
            settled[name] = _share(entries, current.get(name) or [], identity, generation=generation, now=now)
    for name, value in (wanted or {}).items():
        if name == "conditions":
            settled[name] = _conditions(value, current.get(name) or [], generation=generation, now=now)
        elif name == "listeners":
            named = {entry.get("name"): entry for entry in current.get(name) or ()}
            settled[name] = [
                _settle_entry(entry, named.get(entry["name"], {}), generation=generation, now=now)
                for entry in value
            ]
        elif name not in _SHARED:
            settled[name] = value
    if all(current.get(name) == value for name, value in settled.items()):
        return None
    return settled


def _share(
    wanted: Sequence[JsonObject], current: Sequence[JsonObject], identity: str, *, generation: int, now: str
) -> list[JsonObject]:
    def key(entry: JsonObject) -> tuple[Any, ...]:
        return entry.get("controllerName"), tuple(sorted((entry.get(identity) or {}).items()))

    before = {key(entry): entry for entry in current}
    others = [entry for entry in current if entry.get("controllerName") not in _OURS]
    own = [_settle_entry(e, before.get(key(e), {}), generation=generation, now=now) for e in wanted]
    return [*others, *own]


def _settle_entry(wanted: JsonObject, current: JsonObject, *, generation: int, now: str) -> JsonObject:
    found = _conditions(wanted["conditions"], current.get("conditions") or [], generation=generation, now=now)
    return {**wanted, "conditions": found}


def _conditions(
    wanted: Sequence[JsonObject], current: Sequence[JsonObject], *, generation: int, now: str
) -> list[JsonObject]:
    before = {condition.get("type"): condition for condition in current}
    types = {condition["type"] for condition in wanted}
    settled = [
        {**condition, "observedGeneration": generation, "lastTransitionTime": _since(condition, before, now)}
        for condition in wanted
    ]
    return [*settled, *(condition for condition in current if condition.get("type") not in types)]


def _since(condition: JsonObject, before: dict[Any, JsonObject], now: str) -> str:
    earlier = before.get(condition["type"])
    if earlier is None or earlier.get("status") != condition["status"]:
        return now
    return str(earlier.get("lastTransitionTime") or now)
