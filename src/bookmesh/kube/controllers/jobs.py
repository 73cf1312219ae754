"""
Runs the pods of a Job until enough of them have succeeded, or too many have failed.

Pods of a Job carry a finalizer, so that none is gone before it was counted. A pod that has ended is counted in three
steps, each safe to repeat: its uid goes into `uncountedTerminatedPods` together with the count, then its finalizer
goes, then its uid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bookmesh.base.kubernetes import PODS, JsonObject, Resource
from bookmesh.kube.controllers import (
    actions,
    informers,
    job_indexes,
    job_status,
    owners,
    owning,
    pods,
    resources,
    runner,
)

NAME: Final = "job-controller"
TRACKING: Final = "batch.kubernetes.io/job-tracking"
_BACK_OFF_S: Final = 10.0
_LONGEST_BACK_OFF_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Seen:
    """All pods of the namespace, by name; `failure`: why the last pass could not create a pod, or ""."""

    now: datetime
    pods: tuple[JsonObject, ...]
    failure: str = ""


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Count what has ended, report, and start or stop pods."""
    reference = owners.reference_to(desired, api_version="batch/v1", kind="Job")
    claim = owners.claim(desired, seen.pods, resource=PODS, reference=reference)
    if claim.changes:
        return claim.changes
    count = job_status.count(desired, claim.owned, tracking=TRACKING)
    let_go = tuple(_released(pod) for pod in claim.owned if count.is_counted(pod))
    if owners.is_being_deleted(desired):
        return let_go
    if job_status.is_finished(desired):
        settled = actions.patch_status(resources.JOBS, desired, job_status.settled(desired, count))
        return (*settled, *let_go, *_stop(count.active, desired), *_expire(desired, seen.now))
    outcome = job_status.outcome(desired, count, seen.now)
    report = job_status.report(desired, count, outcome, now=seen.now)
    told = _told(desired, outcome)
    written = actions.patch_status(resources.JOBS, desired, report)
    if outcome is not None:
        return (*written, *let_go, *_stop(count.active, desired), *told)
    if desired["spec"].get("suspend"):
        return (*written, *let_go, *_stop(count.active, desired))
    return (*written, *let_go, *_adjust(desired, count, claim.owned, seen, reference))


def _adjust(
    job: JsonObject,
    count: job_status.Count,
    owned: Sequence[JsonObject],
    seen: Seen,
    reference: JsonObject,
) -> actions.Actions:
    """Bring the number of running pods to what is wanted now."""
    wanted = job_status.wanted_active(job, count)
    surplus = len(count.active) - wanted
    if surplus > 0:
        return _stop(
            sorted(count.active, key=lambda pod: (pods.is_ready(pod), pod["metadata"]["name"]))[:surplus], job
        )
    wake_up = _deadline(job, seen.now)
    if surplus == 0:
        return wake_up
    wait_s = _back_off_s(job, count, owned, seen.now)
    if wait_s > 0:
        return (*wake_up, actions.Requeue(wait_s))
    complaint: actions.Actions = ()
    if seen.failure:
        complaint = (actions.Event(job, "FailedCreate", f"Error creating: {seen.failure}", "Warning"),)
    births: list[actions.Action] = []
    for index in job_indexes.missing(job, owned, -surplus):
        event = actions.Event(job, "SuccessfulCreate", "Created pod: {name}")
        births.append(actions.Create(PODS, pod_from(job, reference, index), event=event))
    return (*complaint, *births, *wake_up)


def pod_from(job: JsonObject, reference: JsonObject, index: int | None) -> JsonObject:
    """Build a pod from the template; `index` is its number in an Indexed Job."""
    template = job["spec"]["template"]
    fields = template.get("metadata") or {}
    name = job["metadata"]["name"]
    metadata: JsonObject = {
        "generateName": f"{name}-" if index is None else f"{name}-{index}-",
        "namespace": job["metadata"]["namespace"],
        "labels": dict(fields.get("labels") or {}),
        "annotations": dict(fields.get("annotations") or {}),
        "finalizers": [*(fields.get("finalizers") or ()), TRACKING],
        "ownerReferences": [reference],
    }
    spec = template["spec"]
    if index is not None:
        metadata["labels"][job_indexes.INDEX] = metadata["annotations"][job_indexes.INDEX] = str(index)
        spec = job_indexes.numbered(spec, index, host_name=f"{name}-{index}")
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _released(pod: JsonObject) -> actions.Patch:
    finalizers = [each for each in pod["metadata"].get("finalizers") or () if each != TRACKING]
    return actions.patch_of(PODS, pod, {"metadata": {"finalizers": finalizers or None}})


def _stop(victims: Iterable[JsonObject], job: JsonObject) -> actions.Actions:
    event = actions.Event(job, "SuccessfulDelete", "Deleted pod: {name}")
    return tuple(actions.delete_of(PODS, pod, event=event) for pod in victims)


def _told(job: JsonObject, outcome: job_status.Outcome | None) -> actions.Actions:
    if outcome is None:
        return ()
    if outcome.is_success:
        return (actions.Event(job, "Completed", "Job completed"),)
    return (actions.Event(job, outcome.reason, outcome.message, "Warning"),)


def _expire(job: JsonObject, now: datetime) -> actions.Actions:
    """Delete a finished Job when its time to live is over."""
    life_s = job["spec"].get("ttlSecondsAfterFinished")
    end = job_status.finished_at(job)
    if life_s is None or end is None:
        return ()
    left_s = (end + timedelta(seconds=life_s) - now).total_seconds()
    if left_s > 0:
        return (actions.Requeue(left_s),)
    return (actions.delete_of(resources.JOBS, job, propagation="Foreground"),)


def _deadline(job: JsonObject, now: datetime) -> actions.Actions:
    left_s = job_status.deadline_in_s(job, now)
    return () if left_s is None else (actions.Requeue(max(0.0, left_s)),)


def _back_off_s(
    job: JsonObject, count: job_status.Count, owned: Sequence[JsonObject], now: datetime
) -> float:
    """How long to wait before the next try: 10 s after the first failure, doubled with each further one."""
    ends = [end for pod in owned if pods.phase(pod) == "Failed" and (end := job_status.ended_at(pod))]
    if not count.failed or not ends:
        return 0.0
    delay_s: float = min(_BACK_OFF_S * 2 ** min(count.failed - 1, 10), _LONGEST_BACK_OFF_S)
    return max(0.0, (max(ends) + timedelta(seconds=delay_s) - now).total_seconds())


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    return Seen(view.now, view.caches.of(PODS).in_namespace(key.namespace), view.failure)


def vanished(key: runner.Key, view: runner.View) -> actions.Actions:
    """Let go of the pods of a Job that is gone, so that they can go too."""
    left = []
    for pod in view.caches.of(PODS).in_namespace(key.namespace):
        reference = owners.controller_reference(pod)
        if (
            reference is not None
            and (reference["kind"], reference["name"]) == ("Job", key.name)
            and TRACKING in (pod["metadata"].get("finalizers") or ())
        ):
            left.append(_released(pod))
    return tuple(left)


def _owners_of_pod(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    return owning.keys_of_owners(change, caches, resource=resources.JOBS, kind="Job")


CONTROLLER = runner.Controller(
    name=NAME,
    watches=(runner.own_keys(resources.JOBS), runner.Watch(PODS, _owners_of_pod)),
    observe=observe,
    reconcile=reconcile,
    vanished=vanished,
)
