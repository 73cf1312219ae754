from __future__ import annotations

import datetime
from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.kube.node import records, status
from bookmesh.kube.node.records import PodRecord, Running, State, Terminated, Waiting

NOW = datetime.datetime(2026, 5, 9, 12, 0, tzinfo=datetime.UTC)
LATER = datetime.datetime(2026, 5, 9, 13, 0, tzinfo=datetime.UTC)
OK = Terminated(exit_code=0, reason="Completed", started_at=NOW, finished_at=LATER)
BAD = Terminated(exit_code=3, reason="Error", started_at=NOW, finished_at=LATER)
RUNS = Running(NOW)
WAITS = Waiting("ContainerCreating")
CRASHED = (Waiting("CrashLoopBackOff"), BAD)
Shown = State | tuple[State, Terminated]


def record_of(pod: dict[str, Any], states: list[Shown], *, init: list[Shown] | None = None) -> PodRecord:
    record = records.initial_record(pod, now=NOW)
    for item, shown in zip(record.containers, [*(init or []), *states], strict=True):
        item.state, item.last = shown if isinstance(shown, tuple) else (shown, None)
        item.started = isinstance(item.state, Running)
        item.ready = item.started or (item.role == "init" and item.has_succeeded)
    record.host_ip = "127.97.0.254"
    return record


@pytest.mark.parametrize(
    ("policy", "states", "phase"),
    [
        ("Always", [WAITS], "Pending"),
        ("Always", [RUNS], "Running"),
        ("Always", [RUNS, WAITS], "Pending"),
        ("Always", [CRASHED], "Running"),
        ("Always", [OK], "Running"),
        ("OnFailure", [OK], "Succeeded"),
        ("OnFailure", [BAD], "Running"),
        ("OnFailure", [OK, CRASHED], "Running"),
        ("Never", [OK], "Succeeded"),
        ("Never", [BAD], "Failed"),
        ("Never", [OK, BAD], "Failed"),
        ("Never", [OK, RUNS], "Running"),
    ],
)
def test_phase_follows_containers_and_restart_policy(policy: str, states: list[Shown], phase: str) -> None:
    pod = fakes.pod(*({"name": f"c{n}"} for n in range(len(states))), restartPolicy=policy)
    assert status.phase_of(pod, record_of(pod, states)) == phase


@pytest.mark.parametrize(
    ("policy", "init", "phase"),
    [
        ("Always", [RUNS], "Pending"),
        ("Always", [CRASHED], "Pending"),
        ("Always", [OK], "Pending"),
        ("Never", [BAD], "Failed"),
        ("Never", [RUNS], "Pending"),
    ],
)
def test_phase_while_init_containers_run(policy: str, init: list[Shown], phase: str) -> None:
    pod = fakes.pod(restartPolicy=policy, initContainers=[{"name": "i"}])
    assert status.phase_of(pod, record_of(pod, [Waiting("PodInitializing")], init=init)) == phase


def test_a_pod_has_not_ended_before_its_sidecars() -> None:
    pod = fakes.pod(restartPolicy="Never", initContainers=[{"name": "s", "restartPolicy": "Always"}])
    assert status.phase_of(pod, record_of(pod, [OK], init=[RUNS])) == "Running"
    assert status.phase_of(pod, record_of(pod, [OK], init=[OK])) == "Succeeded"


def test_a_pod_has_not_ended_before_its_companions_nor_by_their_exit() -> None:
    pod = fakes.pod({"name": "c"}, {"name": "p"}, restartPolicy="Never")
    pod["metadata"]["annotations"] = {"node.bookmesh.dev/companions": "p"}
    assert status.phase_of(pod, record_of(pod, [Waiting("ContainerCreating"), RUNS])) == "Pending"
    assert status.phase_of(pod, record_of(pod, [RUNS, RUNS])) == "Running"
    assert status.phase_of(pod, record_of(pod, [OK, RUNS])) == "Running"
    assert status.phase_of(pod, record_of(pod, [OK, BAD])) == "Succeeded"
    assert status.phase_of(pod, record_of(pod, [BAD, OK])) == "Failed"


def conditions(built: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {item["type"]: (item["status"], item.get("reason", "")) for item in built["conditions"]}


def test_a_ready_pod_has_every_condition() -> None:
    pod = fakes.pod()
    record = record_of(pod, [RUNS])
    record.sandbox_ready = True
    record.ip = "10.244.0.2"
    record.start_time = NOW
    built = status.build_status(pod, record, written={}, now=LATER)
    assert conditions(built) == {
        "PodReadyToStartContainers": ("True", ""),
        "Initialized": ("True", ""),
        "Ready": ("True", ""),
        "ContainersReady": ("True", ""),
        "PodScheduled": ("True", ""),
    }
    assert {
        key: built[key] for key in ("phase", "podIP", "podIPs", "hostIP", "hostIPs", "startTime", "qosClass")
    } == {
        "phase": "Running",
        "podIP": "10.244.0.2",
        "podIPs": [{"ip": "10.244.0.2"}],
        "hostIP": "127.97.0.254",
        "hostIPs": [{"ip": "127.97.0.254"}],
        "startTime": "2026-05-09T12:00:00Z",
        "qosClass": "BestEffort",
    }
    assert built["containerStatuses"] == [
        {
            "name": "c",
            "state": {"running": {"startedAt": "2026-05-09T12:00:00Z"}},
            "lastState": {},
            "ready": True,
            "restartCount": 0,
            "image": "app",
            "imageID": "",
            "started": True,
        }
    ]


def test_an_unready_container_is_named() -> None:
    pod = fakes.pod({"name": "b"}, {"name": "a"}, {"name": "ok"})
    built = status.build_status(pod, record_of(pod, [WAITS, WAITS, RUNS]), written={}, now=NOW)
    ready = next(item for item in built["conditions"] if item["type"] == "Ready")
    assert ready["message"] == "containers with unready status: [b a]"
    assert [item["name"] for item in built["containerStatuses"]] == ["a", "b", "ok"]


def test_an_unfinished_init_container_is_named() -> None:
    pod = fakes.pod(initContainers=[{"name": "one"}, {"name": "two"}])
    record = record_of(pod, [Waiting("PodInitializing")], init=[OK, RUNS])
    built = status.build_status(pod, record, written={}, now=NOW)
    initialized = next(item for item in built["conditions"] if item["type"] == "Initialized")
    assert (initialized["status"], initialized["message"]) == (
        "False",
        "containers with incomplete status: [two]",
    )
    assert [item["name"] for item in built["initContainerStatuses"]] == ["one", "two"]


def test_an_unready_sidecar_makes_the_pod_unready() -> None:
    pod = fakes.pod(initContainers=[{"name": "proxy", "restartPolicy": "Always"}])
    record = record_of(pod, [RUNS], init=[RUNS])
    assert conditions(status.build_status(pod, record, written={}, now=NOW))["Ready"] == ("True", "")
    record.init[0].ready = False
    assert conditions(status.build_status(pod, record, written={}, now=NOW))["Ready"] == (
        "False",
        "ContainersNotReady",
    )


def test_an_ended_pod_is_completed() -> None:
    pod = fakes.pod(restartPolicy="Never")
    record = record_of(pod, [OK])
    built = conditions(status.build_status(pod, record, written={}, now=NOW))
    assert built["Ready"] == ("False", "PodCompleted")
    assert built["Initialized"] == ("True", "PodCompleted")
    record = record_of(pod, [BAD])
    assert conditions(status.build_status(pod, record, written={}, now=NOW))["Ready"] == (
        "False",
        "PodFailed",
    )


def test_a_transition_time_changes_with_the_status_only() -> None:
    pod = fakes.pod()
    record = record_of(pod, [WAITS])
    first = status.build_status(pod, record, written={}, now=NOW)
    assert status.build_status(pod, record, written=first, now=LATER) == first
    record.app[0].state, record.app[0].ready = RUNS, True
    times = {
        item["type"]: item["lastTransitionTime"]
        for item in status.build_status(pod, record, written=first, now=LATER)["conditions"]
    }
    assert times["Ready"] == "2026-05-09T13:00:00Z"
    assert times["PodScheduled"] == "2026-05-09T12:00:00Z"


def test_conditions_of_others_stay_and_gate_readiness() -> None:
    pod = fakes.pod(readinessGates=[{"conditionType": "example.com/gate"}])
    record = record_of(pod, [RUNS])
    assert conditions(status.build_status(pod, record, written={}, now=NOW))["Ready"] == (
        "False",
        "ReadinessGatesNotReady",
    )
    gate = {"type": "example.com/gate", "status": "True"}
    pod["status"] = {"conditions": [gate]}
    built = status.build_status(pod, record, written={}, now=NOW)
    assert gate in built["conditions"]
    assert conditions(built)["Ready"] == ("True", "")


@pytest.mark.parametrize(
    ("resources", "qos"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        (
            {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}},
            "Guaranteed",
        ),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
    ],
)
def test_quality_of_service(resources: dict[str, Any], qos: str) -> None:
    assert status.qos_class(fakes.pod({"name": "c", "resources": resources})) == qos


def test_a_patch_has_what_changed_and_removes_what_went() -> None:
    old = {"phase": "Running", "podIP": "10.0.0.1", "qosClass": "BestEffort", "foreign": 1}
    assert status.build_patch(old, {"phase": "Failed", "qosClass": "BestEffort"}) == {
        "phase": "Failed",
        "podIP": None,
    }
    assert status.build_patch(old, dict(old)) is None


def test_terminated_states_say_how_and_when() -> None:
    pod = fakes.pod()
    record = record_of(pod, [(Waiting("CrashLoopBackOff", "back-off"), BAD)])
    (built,) = status.build_status(pod, record, written={}, now=NOW)["containerStatuses"]
    assert built["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    assert built["lastState"] == {
        "terminated": {
            "exitCode": 3,
            "reason": "Error",
            "startedAt": "2026-05-09T12:00:00Z",
            "finishedAt": "2026-05-09T13:00:00Z",
        }
    }
