"""What controllers ask about a pod: does it count, is it ready, since when."""

from __future__ import annotations

from datetime import datetime, timedelta

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import conditions


def phase(pod: JsonObject) -> str:
    found: str = (pod.get("status") or {}).get("phase", "Pending")
    return found


def has_ended(pod: JsonObject) -> bool:
    """Tell whether all containers are done for good."""
    return phase(pod) in ("Succeeded", "Failed")


def is_terminating(pod: JsonObject) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def is_active(pod: JsonObject) -> bool:
    """Tell whether the pod counts as a replica: it has not ended and nobody asked it to."""
    return not has_ended(pod) and not is_terminating(pod)


def is_ready(pod: JsonObject) -> bool:
    """Read the condition Ready as the node reports it; a terminating pod may still have it."""
    return conditions.is_true((pod.get("status") or {}).get("conditions"), "Ready")


def ready_since(pod: JsonObject) -> datetime | None:
    """Tell since when the pod is ready without a break; None when it is not, or the node did not say."""
    condition = conditions.find((pod.get("status") or {}).get("conditions"), "Ready")
    if condition is None or condition["status"] != "True" or not condition.get("lastTransitionTime"):
        return None
    return conditions.parse_time(condition["lastTransitionTime"])


def available_in_s(pod: JsonObject, *, min_ready_s: int, now: datetime) -> float | None:
    """
    Tell how long it takes until a ready pod counts as available.

    Returns:
        Seconds, 0 when it is available now; None when it is not ready.
    """
    if not is_ready(pod):
        return None
    since = ready_since(pod)
    if min_ready_s == 0 or since is None:
        return 0.0 if min_ready_s == 0 else float(min_ready_s)
    return max(0.0, (since + timedelta(seconds=min_ready_s) - now).total_seconds())
