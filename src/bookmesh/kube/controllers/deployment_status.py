"""What a Deployment reports: counts, and the conditions Available, Progressing and ReplicaFailure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import conditions, revisions, rollout_limits

NO_DEADLINE_S = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Report:
    """The status to write, and after how many seconds the progress deadline has to be looked at (None: never)."""

    status: JsonObject
    deadline_in_s: float | None


def report(
    deployment: JsonObject,
    history: revisions.History,
    *,
    created: str,
    now: datetime,
) -> Report:
    """Build the status from what the ReplicaSets report; `created` names a ReplicaSet made in this pass, or is ""."""
    current = deployment.get("status") or {}
    limits = rollout_limits.limits_of(deployment)
    status = _counts(deployment, history)
    listed = conditions.put(
        current.get("conditions"), _available(status.get("availableReplicas", 0), limits), now=now
    )
    failure = _replica_failure(history)
    listed = conditions.drop(listed, "ReplicaFailure")
    if failure is not None:
        listed = [*listed, failure]
    deadline_in_s = None
    if _deadline_s(deployment) < NO_DEADLINE_S:
        listed = _with_progress(deployment, history, status, listed, created=created, now=now)
        deadline_in_s = _deadline_in_s(deployment, listed, status, now)
    else:
        listed = conditions.drop(listed, "Progressing")
    status["conditions"] = _keep_update_times(current.get("conditions"), listed, now)
    return Report(status, deadline_in_s)


def is_complete(deployment: JsonObject, status: JsonObject) -> bool:
    """Tell whether all pods are new and available and no old one is left."""
    replicas = deployment["spec"].get("replicas", 1)
    counts = [status.get(field, 0) for field in ("updatedReplicas", "replicas", "availableReplicas")]
    return counts == [replicas] * 3 and status.get("observedGeneration", 0) >= _generation(deployment)


def _counts(deployment: JsonObject, history: revisions.History) -> JsonObject:
    everything = history.all
    available = rollout_limits.counted(everything, "availableReplicas")
    counts = {
        "observedGeneration": _generation(deployment),
        "replicas": rollout_limits.counted(everything, "replicas"),
        "updatedReplicas": rollout_limits.counted([history.new], "replicas") if history.new else 0,
        "readyReplicas": rollout_limits.counted(everything, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(rollout_limits.wanted(each) for each in everything) - available),
        "collisionCount": (deployment.get("status") or {}).get("collisionCount", 0),
    }
    return {key: value for key, value in counts.items() if value}


def _available(available: int, limits: rollout_limits.Limits) -> JsonObject:
    if available >= limits.fewest_available:
        return {
            "type": "Available",
            "status": "True",
            "reason": "MinimumReplicasAvailable",
            "message": "Deployment has minimum availability.",
        }
    return {
        "type": "Available",
        "status": "False",
        "reason": "MinimumReplicasUnavailable",
        "message": "Deployment does not have minimum availability.",
    }


def _replica_failure(history: revisions.History) -> JsonObject | None:
    for each in reversed(history.all):
        found = conditions.find((each.get("status") or {}).get("conditions"), "ReplicaFailure")
        if found is not None and found["status"] == "True":
            return found
    return None


def _with_progress(
    deployment: JsonObject,
    history: revisions.History,
    status: JsonObject,
    listed: list[JsonObject],
    *,
    created: str,
    now: datetime,
) -> list[JsonObject]:
    """Set Progressing; one that says nothing new stays as it is, with its times."""
    current = conditions.find(listed, "Progressing")
    reason = current["reason"] if current is not None else ""
    if created:
        return _progressing(
            listed, "True", "NewReplicaSetCreated", f'Created new replica set "{created}"', now
        )
    if deployment["spec"].get("paused"):
        if reason == "DeploymentPaused":
            return listed
        return _progressing(listed, "Unknown", "DeploymentPaused", "Deployment is paused", now)
    if reason == "DeploymentPaused":
        return _progressing(listed, "Unknown", "DeploymentResumed", "Deployment is resumed", now)
    if history.new is None:
        return listed
    name = history.new["metadata"]["name"]
    if is_complete(deployment, status):
        if reason == "NewReplicaSetAvailable":
            return listed
        message = f'ReplicaSet "{name}" has successfully progressed.'
        return _progressing(listed, "True", "NewReplicaSetAvailable", message, now)
    if reason == "NewReplicaSetAvailable" and status.get("replicas") == status.get("updatedReplicas"):
        return listed
    if current is None:
        return _progressing(listed, "True", "FoundNewReplicaSet", f'Found new replica set "{name}"', now)
    if _has_progressed(deployment, status):
        message = f'ReplicaSet "{name}" is progressing.'
        return _progressing(listed, "True", "ReplicaSetUpdated", message, now)
    if _is_overdue(deployment, current, now):
        message = f'ReplicaSet "{name}" has timed out progressing.'
        return _progressing(listed, "False", "ProgressDeadlineExceeded", message, now)
    return listed


def _progressing(
    listed: list[JsonObject], value: str, reason: str, message: str, now: datetime
) -> list[JsonObject]:
    condition = {
        "type": "Progressing",
        "status": value,
        "reason": reason,
        "message": message,
        "lastUpdateTime": conditions.format_time(now),
    }
    return conditions.put(listed, condition, now=now)


def _has_progressed(deployment: JsonObject, status: JsonObject) -> bool:
    """More new pods, fewer old ones, more ready or more available than at the last report."""
    before = deployment.get("status") or {}
    if any(
        status.get(field, 0) > before.get(field, 0)
        for field in ("updatedReplicas", "readyReplicas", "availableReplicas")
    ):
        return True
    old_now = status.get("replicas", 0) - status.get("updatedReplicas", 0)
    return bool(old_now < before.get("replicas", 0) - before.get("updatedReplicas", 0))


def _is_overdue(deployment: JsonObject, current: JsonObject, now: datetime) -> bool:
    if current["reason"] in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
        return False
    return conditions.parse_time(current["lastUpdateTime"]) + _deadline(deployment) < now


def _deadline_in_s(
    deployment: JsonObject, listed: list[JsonObject], status: JsonObject, now: datetime
) -> float | None:
    """Tell when to look at the deadline: a second after it, because times are kept in whole seconds."""
    current = conditions.find(listed, "Progressing")
    if current is None or current["status"] != "True" or current["reason"] == "NewReplicaSetAvailable":
        return None
    if is_complete(deployment, status) or deployment["spec"].get("paused"):
        return None
    due = conditions.parse_time(current["lastUpdateTime"]) + _deadline(deployment)
    return max(0.0, (due - now).total_seconds()) + 1.0


def _keep_update_times(
    before: list[JsonObject] | None, listed: list[JsonObject], now: datetime
) -> list[JsonObject]:
    """Give conditions without it a `lastUpdateTime`: the old one when nothing else about them changed."""
    completed = []
    for condition in listed:
        previous = conditions.find(before, condition["type"])
        if "lastUpdateTime" in condition:
            completed.append(condition)
        elif previous is not None and all(previous.get(key) == value for key, value in condition.items()):
            completed.append(previous)
        else:
            completed.append({**condition, "lastUpdateTime": conditions.format_time(now)})
    return completed


def _deadline_s(deployment: JsonObject) -> int:
    deadline_s: int = deployment["spec"].get("progressDeadlineSeconds", 600)
    return deadline_s


def _deadline(deployment: JsonObject) -> timedelta:
    return timedelta(seconds=_deadline_s(deployment))


def _generation(deployment: JsonObject) -> int:
    generation: int = deployment["metadata"].get("generation", 0)
    return generation
