"""Points in time and `status.conditions` as Kubernetes writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bookmesh.base.kubernetes import JsonObject


def format_time(moment: datetime) -> str:
    """Write a point in time as RFC 3339 in UTC, whole seconds: `2026-08-01T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """
    Read an RFC 3339 point in time.

    Raises:
        ValueError: it is none, or has no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f'"{text}" has no time zone')
    return moment


def find(conditions: Sequence[JsonObject] | None, kind: str) -> JsonObject | None:
    """Look a condition up by type."""
    return next((condition for condition in conditions or () if condition["type"] == kind), None)


def is_true(conditions: Sequence[JsonObject] | None, kind: str) -> bool:
    condition = find(conditions, kind)
    return condition is not None and condition["status"] == "True"


def put(conditions: Sequence[JsonObject] | None, condition: JsonObject, *, now: datetime) -> list[JsonObject]:
    """
    Set a condition; `lastTransitionTime` moves only when its status does.

    Returns:
        A new list in the old order, a new type last.
    """
    previous = find(conditions, condition["type"])
    since = format_time(now)
    if previous is not None and previous["status"] == condition["status"]:
        since = previous.get("lastTransitionTime", since)
    entry = {**condition, "lastTransitionTime": since}
    if previous is None:
        return [*(conditions or ()), entry]
    return [entry if other is previous else other for other in conditions or ()]


def drop(conditions: Sequence[JsonObject] | None, kind: str) -> list[JsonObject]:
    """Leave a condition out."""
    return [condition for condition in conditions or () if condition["type"] != kind]
