"""Events go an hour after they were last written."""

from __future__ import annotations

import datetime

import pytest

from bookmesh.base.kubernetes import EVENTS, JsonObject
from bookmesh.kube.controllers import actions, event_expiry

NOW = datetime.datetime(2026, 8, 1, 12, tzinfo=datetime.UTC)


def _event(created: str, *written: str) -> JsonObject:
    entries = [{"manager": "kubelet", "time": time} for time in written]
    metadata = {"name": "a.1", "namespace": "default", "uid": "u", "creationTimestamp": created}
    return {"metadata": {**metadata, "managedFields": entries}, "lastTimestamp": "2099-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("event", "left_s"),
    [
        (_event("2026-08-01T12:00:00Z"), 3600),
        (_event("2026-08-01T11:00:01Z"), 1),
        (_event("2026-08-01T09:00:00Z", "2026-08-01T09:00:00Z", "2026-08-01T11:30:00Z"), 1800),
    ],
)
def test_an_event_stays_for_an_hour_after_it_was_written(event: JsonObject, left_s: float) -> None:
    assert event_expiry.reconcile(event, NOW) == (actions.Requeue(left_s),)


def test_then_it_goes_whatever_it_says_itself() -> None:
    assert event_expiry.reconcile(_event("2026-08-01T11:00:00Z"), NOW) == (
        actions.Delete(EVENTS, "default", "a.1", "u"),
    )
