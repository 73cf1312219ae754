"""STATUS, READY and RESTARTS of pods in every phase of their life."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.api.conftest import NOW

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import pods

RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
DONE = {"terminated": {"exitCode": 0, "reason": "Completed"}}


def _waiting(reason: str) -> JsonObject:
    return {"waiting": {"reason": reason}}


def _run(name: str, state: JsonObject, **more: Any) -> JsonObject:
    return {"name": name, "state": state, "ready": "running" in state, "restartCount": 0, **more}


def _pod(
    main: list[JsonObject] | None = None,
    initial: list[JsonObject] | None = None,
    *,
    phase: str = "Running",
    sidecars: tuple[str, ...] = (),
    deleted: bool = False,
    conditions: dict[str, str] | None = None,
    **status: Any,
) -> JsonObject:
    main, initial = main or [], initial or []
    containers = [{"name": run["name"]} for run in main] or [{"name": "main"}]
    init_containers = [
        {"name": run["name"], **({"restartPolicy": "Always"} if run["name"] in sidecars else {})}
        for run in initial
    ]
    return {
        "metadata": {"name": "web", **({"deletionTimestamp": "2026-01-01T00:00:30Z"} if deleted else {})},
        "spec": {"containers": containers, "initContainers": init_containers},
        "status": {
            "phase": phase,
            "containerStatuses": main,
            "initContainerStatuses": initial,
            "conditions": [{"type": key, "status": value} for key, value in (conditions or {}).items()],
            **status,
        },
    }


@pytest.mark.parametrize(
    ("pod", "ready", "status"),
    [
        (_pod(phase="Pending"), "0/1", "Pending"),
        (_pod([_run("a", RUNNING), _run("b", RUNNING)]), "2/2", "Running"),
        (_pod([_run("a", RUNNING, ready=False)]), "0/1", "Running"),
        (_pod([_run("a", _waiting("ContainerCreating"))], phase="Pending"), "0/1", "ContainerCreating"),
        (_pod([_run("a", _waiting("CrashLoopBackOff"))]), "0/1", "CrashLoopBackOff"),
        (_pod([_run("a", _waiting("ErrImagePull"))], phase="Pending"), "0/1", "ErrImagePull"),
        (_pod([_run("a", DONE)], phase="Succeeded"), "0/1", "Completed"),
        (
            _pod([_run("a", {"terminated": {"exitCode": 3, "reason": "Error"}})], phase="Failed"),
            "0/1",
            "Error",
        ),
        (_pod([_run("a", {"terminated": {"exitCode": 3}})]), "0/1", "ExitCode:3"),
        (_pod([_run("a", {"terminated": {"exitCode": 137, "signal": 9}})]), "0/1", "Signal:9"),
        (_pod([_run("a", DONE), _run("b", RUNNING)]), "1/2", "NotReady"),
        (_pod([_run("a", DONE), _run("b", RUNNING)], conditions={"Ready": "True"}), "1/2", "Running"),
        (_pod([_run("a", RUNNING)], deleted=True), "1/1", "Terminating"),
        (_pod([_run("a", DONE)], phase="Succeeded", deleted=True), "0/1", "Completed"),
        (_pod(phase="Failed", reason="Evicted"), "0/1", "Evicted"),
    ],
)
def test_status_of_main_containers(pod: JsonObject, ready: str, status: str) -> None:
    assert pods.row(pod, NOW)[1:3] == [ready, status]


@pytest.mark.parametrize(
    ("initial", "status"),
    [
        ([_run("i", _waiting("PodInitializing")), _run("j", _waiting("PodInitializing"))], "Init:0/2"),
        ([_run("i", DONE), _run("j", RUNNING)], "Init:1/2"),
        ([_run("i", _waiting("CrashLoopBackOff"))], "Init:CrashLoopBackOff"),
        ([_run("i", {"terminated": {"exitCode": 1, "reason": "Error"}})], "Init:Error"),
        ([_run("i", {"terminated": {"exitCode": 1}})], "Init:ExitCode:1"),
        ([_run("i", DONE)], "PodInitializing"),
    ],
)
def test_status_while_initializing(initial: list[JsonObject], status: str) -> None:
    pod = _pod([_run("a", _waiting("PodInitializing"))], initial, phase="Pending")
    assert pods.row(pod, NOW)[1:3] == ["0/1", status]


def test_sidecars_count_as_containers() -> None:
    proxy = _run("proxy", RUNNING, started=True)
    pod = _pod([_run("a", RUNNING)], [_run("init", DONE), proxy], sidecars=("proxy",))
    assert pods.row(pod, NOW)[1:3] == ["2/2", "Running"]
    starting = _pod([_run("a", _waiting("PodInitializing"))], [_run("proxy", RUNNING)], sidecars=("proxy",))
    assert pods.row(starting, NOW)[1:3] == ["0/2", "Init:0/1"]


def test_restarts_tell_when_the_last_one_was() -> None:
    ended = {"terminated": {"finishedAt": "2025-12-31T23:58:00Z"}}
    pod = _pod([_run("a", RUNNING, restartCount=2, lastState=ended), _run("b", RUNNING, restartCount=1)])
    assert pods.row(pod, NOW)[3] == "3 (2m ago)"
    assert pods.row(_pod([_run("a", RUNNING, restartCount=2)]), NOW)[3] == "2"


def test_wide_cells() -> None:
    pod = _pod([_run("a", RUNNING)], podIP="10.244.0.3", podIPs=[{"ip": "10.244.0.3"}])
    pod["spec"] |= {"nodeName": "bookmesh", "readinessGates": [{"conditionType": "x"}]}
    assert pods.row(pod, NOW)[5:] == ["10.244.0.3", "bookmesh", "<none>", "0/1"]
    assert pods.row(_pod(), NOW)[5:] == ["<none>"] * 4
    assert len(pods.row(pod, NOW)) == len(pods.COLUMNS)
