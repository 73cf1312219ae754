"""What a Job has reached: counting its pods, deciding whether it is finished, and the status that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import conditions, job_indexes, pods

_FINAL: Final = ("Complete", "Failed")


@dataclass(frozen=True, slots=True)
class Count:
    """
    How many pods of a Job have ended how, and which are still at work.

    The uids are those of ended pods that are part of the numbers and wait for their finalizer to go; `terminating`
    are pods that were asked to end and have not yet; `indexes` are the numbers done in an Indexed Job.
    """

    active: tuple[JsonObject, ...]
    ready: int
    succeeded: int
    failed: int
    succeeded_uids: tuple[str, ...]
    failed_uids: tuple[str, ...]
    terminating: int
    restarts: int
    indexes: frozenset[int]
    tracking: str

    def is_counted(self, pod: JsonObject) -> bool:
        """Whether a pod is counted and may lose its finalizer."""
        fields = pod["metadata"]
        is_held = self.tracking in (fields.get("finalizers") or ())
        return is_held and fields["uid"] in (*self.succeeded_uids, *self.failed_uids)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Why a Job is finished."""

    is_success: bool
    reason: str
    message: str


def count(job: JsonObject, owned: Sequence[JsonObject], *, tracking: str) -> Count:
    """Count the pods on top of what the status says already."""
    status = job.get("status") or {}
    waiting = status.get("uncountedTerminatedPods") or {}
    known = {*(waiting.get("succeeded") or ()), *(waiting.get("failed") or ())}
    held = {
        pod["metadata"]["uid"]: pod for pod in owned if tracking in (pod["metadata"].get("finalizers") or ())
    }
    succeeded = [uid for uid, pod in held.items() if pods.phase(pod) == "Succeeded"]
    failed = [uid for uid, pod in held.items() if _has_failed(pod)]
    active = tuple(pod for pod in owned if pods.is_active(pod))
    return Count(
        active=active,
        ready=sum(pods.is_ready(pod) for pod in active),
        succeeded=status.get("succeeded", 0) + sum(uid not in known for uid in succeeded),
        failed=status.get("failed", 0) + sum(uid not in known for uid in failed),
        succeeded_uids=tuple(succeeded),
        failed_uids=tuple(failed),
        terminating=sum(
            pods.is_terminating(pod) and not pods.has_ended(pod) and not _has_failed(pod) for pod in owned
        ),
        restarts=sum(_restarts(pod) for pod in active),
        indexes=frozenset(job_indexes.completed(job, owned)) if job_indexes.is_indexed(job) else frozenset(),
        tracking=tracking,
    )


def _has_failed(pod: JsonObject) -> bool:
    """A pod that was deleted before it succeeded has failed when nothing of it runs any more."""
    fields = pod["metadata"]
    is_gone = pods.is_terminating(pod) and not fields.get("deletionGracePeriodSeconds")
    return pods.phase(pod) == "Failed" or (is_gone and pods.phase(pod) != "Succeeded")


def _restarts(pod: JsonObject) -> int:
    if pod["spec"].get("restartPolicy") != "OnFailure":
        return 0
    status = pod.get("status") or {}
    listed = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return sum(each.get("restartCount", 0) for each in listed)


def is_finished(job: JsonObject) -> bool:
    found = (job.get("status") or {}).get("conditions")
    return any(conditions.is_true(found, kind) for kind in _FINAL)


def finished_at(job: JsonObject) -> datetime | None:
    """When the Job became complete or failed."""
    for kind in _FINAL:
        condition = conditions.find((job.get("status") or {}).get("conditions"), kind)
        if condition is not None and condition["status"] == "True":
            return conditions.parse_time(condition["lastTransitionTime"])
    return None


def ended_at(pod: JsonObject) -> datetime | None:
    """When the last container of a pod ended."""
    ends = [
        conditions.parse_time(each["state"]["terminated"]["finishedAt"])
        for each in (pod.get("status") or {}).get("containerStatuses") or ()
        if ((each.get("state") or {}).get("terminated") or {}).get("finishedAt")
    ]
    return max(ends, default=None)


def outcome(job: JsonObject, count: Count, now: datetime) -> Outcome | None:
    """Decide whether the Job is finished; None when it goes on."""
    spec = job["spec"]
    limit = spec.get("backoffLimit", 6)
    left_s = deadline_in_s(job, now)
    if count.failed > limit or (count.restarts > limit or (limit == 0 and count.restarts > 0)):
        return Outcome(False, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    if left_s is not None and left_s <= 0 and not spec.get("suspend"):
        return Outcome(False, "DeadlineExceeded", "Job was active longer than specified deadline")
    wanted = spec.get("completions")
    is_enough = count.succeeded > 0 if wanted is None else _reached(job, count) >= wanted
    if is_enough and not count.active:
        return Outcome(True, "CompletionsReached", "Reached expected number of succeeded pods")
    return None


def _reached(job: JsonObject, count: Count) -> int:
    return len(count.indexes) if job_indexes.is_indexed(job) else count.succeeded


def deadline_in_s(job: JsonObject, now: datetime) -> float | None:
    """Seconds until the Job has been active for too long; None when it may for ever or has not begun."""
    limit_s = job["spec"].get("activeDeadlineSeconds")
    begin = (job.get("status") or {}).get("startTime")
    if limit_s is None or not begin:
        return None
    return (conditions.parse_time(begin) + timedelta(seconds=limit_s) - now).total_seconds()


def wanted_active(job: JsonObject, count: Count) -> int:
    """How many pods shall be at work now."""
    spec = job["spec"]
    parallel: int = spec.get("parallelism", 1)
    completions: int | None = spec.get("completions")
    if completions is None:
        return len(count.active) if count.succeeded else parallel
    return max(0, min(parallel, completions - _reached(job, count)))


def report(job: JsonObject, count: Count, outcome: Outcome | None, *, now: datetime) -> JsonObject:
    """Build the status."""
    current, spec = job.get("status") or {}, job["spec"]
    is_suspended = bool(spec.get("suspend"))
    status: JsonObject = {
        "active": 0 if outcome else len(count.active),
        "ready": 0 if outcome else count.ready,
        "succeeded": count.succeeded,
        "failed": count.failed,
        "terminating": count.terminating + (len(count.active) if outcome else 0),
    }
    status = {key: value for key, value in status.items() if value or key in ("ready", "terminating")}
    if "startTime" in current and not is_suspended:
        status["startTime"] = current["startTime"]
    elif not is_suspended:
        status["startTime"] = conditions.format_time(now)
    if job_indexes.is_indexed(job):
        status["completedIndexes"] = job_indexes.format_ranges(count.indexes)
    status["uncountedTerminatedPods"] = _uncounted(current, count)
    listed = _conditions(current.get("conditions"), outcome, is_suspended=is_suspended, now=now)
    if listed:
        status["conditions"] = listed
    if outcome and outcome.is_success:
        status["completionTime"] = conditions.format_time(now)
    return status


def settled(job: JsonObject, count: Count) -> JsonObject:
    """Build the status of a finished Job whose last pods come to their end."""
    current = job.get("status") or {}
    numbers = {"succeeded": count.succeeded, "failed": count.failed}
    return {
        **current,
        **{key: number for key, number in numbers.items() if number},
        "terminating": count.terminating,
        "uncountedTerminatedPods": _uncounted(current, count),
    }


def _uncounted(current: JsonObject, count: Count) -> JsonObject:
    waiting = {"succeeded": list(count.succeeded_uids), "failed": list(count.failed_uids)}
    before = current.get("uncountedTerminatedPods") or {}  # a merge patch only replaces lists that it names
    return {key: uids for key, uids in waiting.items() if uids or key in before}


def _conditions(
    current: list[JsonObject] | None, outcome: Outcome | None, *, is_suspended: bool, now: datetime
) -> list[JsonObject]:
    listed = list(current or ())
    before = conditions.find(listed, "Suspended")
    if is_suspended or before is not None:
        text = ("JobSuspended", "Job suspended") if is_suspended else ("JobResumed", "Job resumed")
        entry = _entry("Suspended", "True" if is_suspended else "False", *text, now)
        listed = conditions.put(listed, entry, now=now) if _differs(before, entry) else listed
    if outcome is not None:
        kinds = ("SuccessCriteriaMet", "Complete") if outcome.is_success else ("FailureTarget", "Failed")
        for kind in kinds:
            listed = conditions.put(
                listed, _entry(kind, "True", outcome.reason, outcome.message, now), now=now
            )
    return listed


def _differs(before: JsonObject | None, entry: JsonObject) -> bool:
    return before is None or before["status"] != entry["status"]


def _entry(kind: str, status: str, reason: str, message: str, now: datetime) -> JsonObject:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastProbeTime": conditions.format_time(now),
    }
