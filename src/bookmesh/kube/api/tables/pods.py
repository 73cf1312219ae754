"""
The row of a pod: which words stand under READY, STATUS and RESTARTS.

STATUS is the most telling of: the pod's phase or reason, the first init container that is not through, the first
container (in specification order) that waits or has ended, and "Terminating" while the pod is being deleted.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import columns

COLUMNS: Final = (
    columns.NAME,
    columns.Column("Ready", description="Containers that are ready, of all that should run."),
    columns.Column("Status"),
    columns.Column("Restarts", description="How often containers were restarted, and when last."),
    columns.AGE,
    *columns.wide("IP", "Node", "Nominated Node", "Readiness Gates"),
)


@dataclass(frozen=True, slots=True)
class Summary:
    """`last_restart` is the RFC 3339 end of the latest run that was followed by a restart, "" when there is none."""

    reason: str
    ready: int
    total: int
    restarts: int
    last_restart: str


def row(pod: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `COLUMNS`."""
    summary = summarize(pod)
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    restarts = str(summary.restarts)
    if summary.restarts and summary.last_restart:
        restarts += f" ({columns.since(summary.last_restart, now)} ago)"
    addresses = status.get("podIPs") or []
    ip = addresses[0].get("ip", "") if addresses else status.get("podIP", "")
    return [
        pod["metadata"]["name"],
        f"{summary.ready}/{summary.total}",
        summary.reason,
        restarts,
        columns.age(pod, now),
        ip or columns.NONE,
        spec.get("nodeName") or columns.NONE,
        status.get("nominatedNodeName") or columns.NONE,
        _readiness_gates(spec, status),
    ]


def summarize(pod: JsonObject) -> Summary:
    """Work out what the pod's row says."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    sidecars = {
        container["name"]
        for container in spec.get("initContainers") or []
        if container.get("restartPolicy") == "Always"
    }
    reason = status.get("reason") or status.get("phase") or ""
    scheduled = _condition(status, "PodScheduled")
    if scheduled.get("reason") == "SchedulingGated":
        reason = "SchedulingGated"
    waiting_for, init_ready, init_runs = _init_state(spec, status, sidecars)
    summary_runs = init_runs
    ready = init_ready
    if waiting_for is not None:
        reason = waiting_for
    if waiting_for is None or _condition(status, "Initialized").get("status") == "True":
        container_runs = list(status.get("containerStatuses") or [])
        reason, main_ready = _main_state(status, container_runs, reason)
        ready += main_ready
        summary_runs = [run for run in init_runs if run["name"] in sidecars] + container_runs
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif status.get("phase") not in {"Succeeded", "Failed"}:
            reason = "Terminating"
    return Summary(
        reason=reason,
        ready=ready,
        total=len(spec.get("containers") or []) + len(sidecars),
        restarts=sum(run.get("restartCount", 0) for run in summary_runs),
        last_restart=max((_last_end(run) for run in summary_runs), default=""),
    )


def _init_state(
    spec: JsonObject, status: JsonObject, sidecars: set[str]
) -> tuple[str | None, int, list[JsonObject]]:
    """
    Walk the init containers up to the first that is not through.

    Returns:
        What that one is doing (None when all are through), how many sidecars are ready, the statuses walked over.
    """
    ready, walked = 0, []
    total = len(spec.get("initContainers") or [])
    for index, run in enumerate(status.get("initContainerStatuses") or []):
        walked.append(run)
        state = run.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended is not None and ended.get("exitCode", 0) == 0 and run["name"] not in sidecars:
            continue
        if run["name"] in sidecars and run.get("started"):
            ready += bool(run.get("ready"))
            continue
        if ended is not None:
            if run["name"] in sidecars and ended.get("exitCode", 0) == 0:
                continue
            return "Init:" + (ended.get("reason") or _exit_text(ended)), ready, walked
        if waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return "Init:" + waiting["reason"], ready, walked
        return f"Init:{index}/{total}", ready, walked
    return None, ready, walked


def _main_state(status: JsonObject, runs: list[JsonObject], reason: str) -> tuple[str, int]:
    """The reason after looking at the main containers, the first one's having the last word, and how many are ready."""
    ready, is_any_running = 0, False
    for run in reversed(runs):
        state = run.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = ended.get("reason") or _exit_text(ended)
        elif run.get("ready") and state.get("running") is not None:
            is_any_running = True
            ready += 1
    if reason == "Completed" and is_any_running:
        reason = "Running" if _condition(status, "Ready").get("status") == "True" else "NotReady"
    return reason, ready


def _exit_text(ended: JsonObject) -> str:
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _last_end(run: JsonObject) -> str:
    ended = (run.get("lastState") or {}).get("terminated") or {}
    return ended.get("finishedAt") or ""


def _condition(status: JsonObject, kind: str) -> JsonObject:
    found: JsonObject = next(
        (entry for entry in status.get("conditions") or [] if entry.get("type") == kind), {}
    )
    return found


def _readiness_gates(spec: JsonObject, status: JsonObject) -> str:
    gates = spec.get("readinessGates") or []
    if not gates:
        return columns.NONE
    passed = sum(_condition(status, gate["conditionType"]).get("status") == "True" for gate in gates)
    return f"{passed}/{len(gates)}"
