"""
From what the node knows about a pod to the pod's `status`. Pure.

The rules are the kubelet's: phase from container states and restart policy, conditions that keep their transition time
while their status stays, conditions of others left alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import quantities, records
from bookmesh.kube.node.records import ContainerRecord, PodRecord, Running, State, Terminated, Waiting

_OURS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
_PHASES_AT_END = ("Succeeded", "Failed")


def build_status(
    pod: JsonObject, record: PodRecord, *, written: JsonObject, now: datetime.datetime
) -> JsonObject:
    """
    Build the whole status.

    Args:
        pod: its latest version, for readiness gates and the conditions that others set.
        written: the status that was written last (may be empty), which `pod` need not have yet: a condition that stays
            as it was keeps its time.
    """
    phase = phase_of(pod, record)
    previous = _previous(pod.get("status") or {}, written)
    status: JsonObject = {
        "phase": phase,
        "conditions": _conditions(pod, record, phase=phase, previous=previous, now=now),
        "hostIP": record.host_ip,
        "hostIPs": [{"ip": record.host_ip}],
        "qosClass": qos_class(pod),
    }
    if record.start_time:
        status["startTime"] = records.format_time(record.start_time)
    if record.ip:
        status["podIP"] = record.ip
        status["podIPs"] = [{"ip": record.ip}]
    if record.reason:
        status["reason"] = record.reason
    if record.message:
        status["message"] = record.message
    if record.init:
        status["initContainerStatuses"] = [_container_status(item) for item in record.init]
    status["containerStatuses"] = [
        _container_status(item) for item in sorted(record.app, key=lambda item: item.name)
    ]
    if record.ephemeral:
        status["ephemeralContainerStatuses"] = [_container_status(item) for item in record.ephemeral]
    return status


def phase_of(pod: JsonObject, record: PodRecord) -> str:
    """Pending, Running, Succeeded or Failed. A pod has not ended before its sidecars have."""
    if record.phase:
        return record.phase
    policy = pod["spec"].get("restartPolicy", "Always")
    init = [item for item in record.init if item.role == "init"]
    sidecars_run = any(
        item.role == "sidecar" and isinstance(item.state, Running) for item in record.containers
    )
    if policy == "Never" and not sidecars_run and any(_failed(item) for item in init):
        return "Failed"
    if not all(item.is_complete for item in record.init) and not any(_has_run(item) for item in record.app):
        return "Pending"
    if not all(_has_run(item) for item in record.app):
        return "Pending"
    running = [item for item in record.own if isinstance(item.state, Running)]
    ended = [item for item in record.own if not isinstance(item.state, Running)]
    if running or sidecars_run or policy == "Always":
        return "Running"
    exits = [item.state if isinstance(item.state, Terminated) else item.last for item in ended]
    if all(end is not None and end.exit_code == 0 for end in exits):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def qos_class(pod: JsonObject) -> str:
    """Guaranteed when every container limits cpu and memory to what it requests; BestEffort when none says anything."""
    spec = pod["spec"]
    pairs = []
    for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        pairs += [(limits.get(name), requests.get(name, limits.get(name))) for name in ("cpu", "memory")]
    if all(request is None for _, request in pairs):
        return "BestEffort"
    guaranteed = all(
        limit is not None and request is not None and _same(limit, request) for limit, request in pairs
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _previous(seen: JsonObject, written: JsonObject) -> list[JsonObject]:
    """Conditions as they were: ours as we wrote them, those of others as they were seen."""
    others = [item for item in seen.get("conditions") or [] if item["type"] not in _OURS]
    return [item for item in written.get("conditions") or [] if item["type"] in _OURS] + others


def build_patch(old: JsonObject, new: JsonObject) -> JsonObject | None:
    """Build the merge patch that turns one status into another; None when they say the same."""
    patch: JsonObject = {key: value for key, value in new.items() if old.get(key) != value}
    ours = {"podIP", "podIPs", "reason", "message"}
    patch |= {key: None for key in ours if key in old and key not in new}
    return patch or None


def _same(one: str, other: str) -> bool:
    return quantities.parse_quantity(one) == quantities.parse_quantity(other)


def _has_run(item: ContainerRecord) -> bool:
    return isinstance(item.state, Running | Terminated) or item.last is not None


def _failed(item: ContainerRecord) -> bool:
    return isinstance(item.state, Terminated) and item.state.exit_code != 0


def _conditions(
    pod: JsonObject, record: PodRecord, *, phase: str, previous: list[JsonObject], now: datetime.datetime
) -> list[JsonObject]:
    unready = [item.name for item in record.app if not item.ready]
    unready_sidecars = [item.name for item in record.init if item.role == "sidecar" and not item.ready]
    incomplete = [item.name for item in record.init if not item.is_complete]
    ended = phase in _PHASES_AT_END
    containers_ready = _readiness(phase, [*unready_sidecars, *unready])
    initialized = ("True", "", "")
    if ended and phase == "Succeeded":
        initialized = ("True", "PodCompleted", "")
    elif incomplete and not any(_has_run(item) for item in record.app):
        initialized = (
            "False",
            "ContainersNotInitialized",
            f"containers with incomplete status: [{' '.join(incomplete)}]",
        )
    wanted = {
        "PodReadyToStartContainers": ("True" if record.sandbox_ready else "False", "", ""),
        "Initialized": initialized,
        "Ready": _gated(pod, containers_ready, previous),
        "ContainersReady": containers_ready,
        "PodScheduled": ("True", "", ""),
    }
    by_type = {item["type"]: item for item in previous}
    conditions = [_condition(kind, *wanted[kind], previous=by_type.get(kind), now=now) for kind in _OURS]
    return conditions + [item for item in previous if item["type"] not in _OURS]


def _readiness(phase: str, unready: Iterable[str]) -> tuple[str, str, str]:
    if phase == "Succeeded":
        return "False", "PodCompleted", ""
    if phase == "Failed":
        return "False", "PodFailed", ""
    names = " ".join(unready)
    if names:
        return "False", "ContainersNotReady", f"containers with unready status: [{names}]"
    return "True", "", ""


def _gated(
    pod: JsonObject, containers_ready: tuple[str, str, str], previous: list[JsonObject]
) -> tuple[str, str, str]:
    """Ready needs every readiness gate too; somebody else sets these conditions."""
    if containers_ready[0] != "True":
        return containers_ready
    holding = {item["type"] for item in previous if item["status"] == "True"}
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []]
    missing = [gate for gate in gates if gate not in holding]
    if not missing:
        return containers_ready
    message = ", ".join(f'the status of pod readiness gate "{gate}" is not "True"' for gate in missing)
    return "False", "ReadinessGatesNotReady", message


def _condition(
    kind: str, status: str, reason: str, message: str, *, previous: JsonObject | None, now: datetime.datetime
) -> JsonObject:
    same = previous is not None and previous["status"] == status
    moment = previous.get("lastTransitionTime") if previous is not None and same else None
    condition: JsonObject = {
        "type": kind,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": moment or records.format_time(now),
    }
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition


def _container_status(item: ContainerRecord) -> JsonObject:
    status: JsonObject = {
        "name": item.name,
        "state": _state(item.state),
        "lastState": _state(item.last) if item.last else {},
        "ready": item.ready,
        "restartCount": item.restart_count,
        "image": item.spec.get("image", ""),
        "imageID": item.image_id,
        "started": item.started,
    }
    if item.container_id:
        status["containerID"] = item.container_id
    return status


def _state(state: State) -> JsonObject:
    if isinstance(state, Waiting):
        waiting = {"reason": state.reason}
        return {"waiting": waiting | ({"message": state.message} if state.message else {})}
    if isinstance(state, Running):
        return {"running": {"startedAt": records.format_time(state.started_at)}}
    terminated: JsonObject = {"exitCode": state.exit_code, "reason": state.reason}
    if state.signal is not None:
        terminated["signal"] = state.signal
    if state.message:
        terminated["message"] = state.message
    if state.started_at:
        terminated["startedAt"] = records.format_time(state.started_at)
    terminated["finishedAt"] = records.format_time(state.finished_at)
    if state.container_id:
        terminated["containerID"] = state.container_id
    return {"terminated": terminated}
