"""What ends a container or a pod that does not end by itself, and what it leaves behind."""

from __future__ import annotations

import pytest
from tests.lab.node_labs import Lab, container_status, in_lab, is_ready

from bookmesh.base.kubernetes import JsonObject

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("host")]


def _ended(pod: JsonObject) -> JsonObject | None:
    state = container_status(pod)["state"].get("terminated")
    return state if state is None else dict(state)


@in_lab
async def test_a_container_leaves_a_message_where_it_may(lab: Lab) -> None:
    script = "echo because > /tmp/why; echo nothing > /dev/null; exit 3"
    await lab.create_pod(
        "says", {"name": "c", "args": [script], "terminationMessagePath": "/tmp/why"}, restartPolicy="Never"
    )
    ended = _ended(await lab.until("says", _ended))
    assert ended is not None
    assert (ended["exitCode"], ended["message"]) == (3, "because\n")


@in_lab
async def test_the_log_speaks_for_a_container_that_left_no_message(lab: Lab) -> None:
    failing = {"name": "c", "args": ["echo first; echo last; exit $CODE"]}
    for name, code in (("fails", "1"), ("works", "0")):
        container = {
            **failing,
            "env": [{"name": "CODE", "value": code}],
            "terminationMessagePolicy": "FallbackToLogsOnError",
        }
        await lab.create_pod(name, container, restartPolicy="Never")
    failed = _ended(await lab.until("fails", _ended)) or {}
    assert failed["message"] == "first\nlast\n"
    worked = _ended(await lab.until("works", _ended)) or {}
    assert "message" not in worked


@in_lab
async def test_a_pod_ends_when_its_time_is_over(lab: Lab) -> None:
    await lab.create_pod("long", {"name": "c", "args": ["trap 'exit 0' TERM; sleep 1000 & wait"]})
    limited = {"name": "c", "args": ["trap 'exit 0' TERM; sleep 1000 & wait"]}
    await lab.create_pod("short", limited, activeDeadlineSeconds=1)
    pod = await lab.until("short", lambda pod: pod["status"]["phase"] == "Failed")
    assert pod["status"]["reason"] == "DeadlineExceeded"
    assert pod["status"]["message"] == "Pod was active on the node longer than the specified deadline"
    assert "DeadlineExceeded" in await lab.reasons()
    await lab.until("long", is_ready)
    assert container_status(await lab.pod("long"))["restartCount"] == 0


@in_lab
async def test_a_container_with_too_much_memory_is_killed(lab: Lab) -> None:
    script = 'python3 -c "import time; kept = bytearray(60 << 20); time.sleep(1000)"'
    resources = {"limits": {"memory": "40Mi"}}
    await lab.create_pod("modest", {"name": "c", "args": ["sleep 1000"], "resources": resources})
    await lab.create_pod("large", {"name": "c", "args": [script]})
    await lab.create_pod(
        "greedy", {"name": "c", "args": [script], "resources": resources}, restartPolicy="Never"
    )
    ended = _ended(await lab.until("greedy", _ended)) or {}
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
    for name in ("modest", "large"):
        assert container_status(await lab.until(name, is_ready))["restartCount"] == 0
