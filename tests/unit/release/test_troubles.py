from __future__ import annotations

from typing import Any

import pytest

from bookmesh.release import judging, serving, texts, troubles
from bookmesh.release.contracts import ReleaseId

SHOP = ReleaseId("shop", "reviews")
SCHEDULED = {
    "type": "PodScheduled",
    "status": "False",
    "message": "0/1 nodes are available: 1 Insufficient cpu.",
}


def container(**state: Any) -> dict[str, Any]:
    return {"name": "reviews", "ready": False, "state": state}


def pod(*statuses: dict[str, Any], conditions: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": "reviews-v1-x", "labels": {"app.kubernetes.io/instance": "reviews"}},
        "status": {"containerStatuses": list(statuses), "conditions": list(conditions)},
    }


PULL = container(waiting={"reason": "ImagePullBackOff", "message": "no such image\nat all"})
CRASH = {
    **container(waiting={"reason": "CrashLoopBackOff"}),
    "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}},
}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (pod(conditions=(SCHEDULED,)), "no node takes it: 0/1 nodes are available: 1 Insufficient cpu."),
        (pod(PULL), "container reviews waits: ImagePullBackOff (no such image)"),
        (pod(CRASH), "container reviews waits: CrashLoopBackOff, it ended with exit code 3 (Error)"),
        (pod(container(terminated={"exitCode": 1})), "container reviews ended with exit code 1"),
        (pod(container(running={})), "container reviews runs, and its probes do not find it ready"),
        (pod(container(waiting={"reason": "ContainerCreating"})), ""),
        (pod(container(terminated={"exitCode": 0, "reason": "Completed"})), ""),
        (pod({**PULL, "ready": True}), ""),
        ({"kind": "Pod", "metadata": {"name": "new"}}, ""),
    ],
)
def test_what_keeps_a_pod_is_told(found: dict[str, Any], told: str) -> None:
    assert troubles.of_pod(found) == told


def test_pods_that_are_ready_have_no_trouble() -> None:
    ready = pod(PULL, conditions=({"type": "Ready", "status": "True"},))
    view = serving.observe(SHOP, [ready, pod(PULL)])
    assert judging.troubles(view) == (
        "pod reviews-v1-x: container reviews waits: ImagePullBackOff (no such image)"
    )


def test_programs_are_told_why_a_release_failed_also_when_it_is_undone() -> None:
    written = texts.states_as_json({SHOP: "undone"}, {SHOP: "not within 8 s"})
    assert '"reason": "not within 8 s"' in written
    assert "reason" not in texts.states_as_json({SHOP: "served"}, {})
