from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import pods

NOW = datetime(2026, 8, 1, 12, 0, 10, tzinfo=UTC)


def pod(status: str = "True", since: str | None = "2026-08-01T12:00:00Z", **more: object) -> JsonObject:
    condition = {"type": "Ready", "status": status}
    if since:
        condition["lastTransitionTime"] = since
    return {"metadata": {}, "status": {"conditions": [condition], **more}}


@pytest.mark.parametrize(
    ("given", "min_ready_s", "expected"),
    [
        (pod(), 0, 0.0),
        (pod(), 10, 0.0),
        (pod(), 15, 5.0),
        (pod("False"), 0, None),
        (pod(since=None), 0, 0.0),
        (pod(since=None), 15, 15.0),
        ({"metadata": {}}, 0, None),
    ],
)
def test_time_until_available(given: JsonObject, min_ready_s: int, expected: float | None) -> None:
    assert pods.available_in_s(given, min_ready_s=min_ready_s, now=NOW) == expected


def test_a_pod_without_a_status_is_pending_and_active() -> None:
    assert pods.phase({"metadata": {}}) == "Pending"
    assert pods.is_active({"metadata": {}})


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_an_ended_pod_is_not_active(phase: str) -> None:
    assert not pods.is_active(pod(phase=phase))


def test_a_terminating_pod_is_not_active_though_it_may_be_ready() -> None:
    going = {**pod(), "metadata": {"deletionTimestamp": "2026-08-01T12:00:00Z"}}
    assert not pods.is_active(going)
    assert pods.is_ready(going)
