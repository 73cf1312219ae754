"""
Makes a Job whenever a schedule says so, and throws finished ones away.

Of times that were missed only the last one is made up for, and only within `startingDeadlineSeconds`. A Job is named
for its time, so that none is made twice.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from bookmesh.base import cron
from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.controllers import (
    actions,
    conditions,
    informers,
    job_status,
    owners,
    runner,
)
from bookmesh.kube.controllers.resources import CRON_JOBS, JOBS

NAME: Final = "cronjob-controller"
SCHEDULED: Final = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_WINDOWS: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=31), timedelta(days=366 * 5))


@dataclass(frozen=True, slots=True)
class Seen:
    """The Jobs of the namespace."""

    now: datetime
    jobs: tuple[JsonObject, ...]


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Throw away what is old, and start what is due."""
    if owners.is_being_deleted(desired):
        return ()
    own = [job for job in seen.jobs if owners.is_controlled_by(job, desired)]
    running = [job for job in own if not job_status.is_finished(job)]
    old = _expired(desired, own)
    try:
        schedule = cron.parse(desired["spec"]["schedule"])
        zone = _zone(desired)
    except (ValueError, zoneinfo.ZoneInfoNotFoundError) as error:
        text = f"unparseable schedule {desired['spec']['schedule']!r}: {error}"
        return (*old, actions.Event(desired, "UnparseableSchedule", text, "Warning"))
    due = None if desired["spec"].get("suspend") else _due(desired, schedule, zone, seen.now)
    steps, started = _start(desired, running, own, due, seen.now) if due else ((), None)
    report = actions.patch_status(CRON_JOBS, desired, _status(desired, own, running, started, due))
    following = schedule.next_after(seen.now, zone)
    if following is None or desired["spec"].get("suspend"):
        return (*old, *steps, *report)
    wait_s = (following - seen.now).total_seconds() + 0.1  # not a moment too early
    return (*old, *steps, *report, actions.Requeue(wait_s))


def _zone(cron_job: JsonObject) -> tzinfo:
    name = cron_job["spec"].get("timeZone")
    return zoneinfo.ZoneInfo(name) if name else UTC


def _due(cron_job: JsonObject, schedule: cron.Schedule, zone: tzinfo, now: datetime) -> datetime | None:
    """The last time that has come since the last Job, if it is not too late for it."""
    status = cron_job.get("status") or {}
    since = conditions.parse_time(status.get("lastScheduleTime") or cron_job["metadata"]["creationTimestamp"])
    deadline_s = cron_job["spec"].get("startingDeadlineSeconds")
    if deadline_s is not None:
        since = max(since, now - timedelta(seconds=deadline_s))
    for window in _WINDOWS:  # what was missed for long is only looked for where the last time must be
        found = _last(schedule, zone, max(since, now - window), now)
        if found is not None or now - window <= since:
            return found
    return None


def _last(schedule: cron.Schedule, zone: tzinfo, since: datetime, now: datetime) -> datetime | None:
    found = None
    following = schedule.next_after(since, zone)
    while following is not None and following <= now:
        found = following
        following = schedule.next_after(found, zone)
    return found


def _start(
    cron_job: JsonObject,
    running: Sequence[JsonObject],
    own: Sequence[JsonObject],
    due: datetime,
    now: datetime,
) -> tuple[actions.Actions, JsonObject | None]:
    """Start the Job of a time; returns what to do, and the Job that will be running then."""
    policy = cron_job["spec"].get("concurrencyPolicy", "Allow")
    if policy == "Forbid" and running:
        text = "Not starting job because prior execution is running and concurrency policy is Forbid"
        return (actions.Event(cron_job, "JobAlreadyActive", text),), None
    job = job_from(cron_job, due)
    if any(each["metadata"]["name"] == job["metadata"]["name"] for each in own):
        return (), job
    stops: list[actions.Action] = []
    if policy == "Replace":
        stops = [actions.delete_of(JOBS, each, propagation="Background") for each in running]
    event = actions.Event(cron_job, "SuccessfulCreate", "Created job {name}")
    return (*stops, actions.Create(JOBS, job, event=event)), job


def job_from(cron_job: JsonObject, due: datetime) -> JsonObject:
    """Build the Job of a time; its name ends with that time in minutes."""
    template = cron_job["spec"]["jobTemplate"]
    fields = template.get("metadata") or {}
    minutes = int(due.timestamp()) // 60
    metadata = {
        "name": f"{cron_job['metadata']['name']}-{minutes}",
        "namespace": cron_job["metadata"]["namespace"],
        "labels": dict(fields.get("labels") or {}),
        "annotations": {**(fields.get("annotations") or {}), SCHEDULED: conditions.format_time(due)},
        "ownerReferences": [owners.reference_to(cron_job, api_version="batch/v1", kind="CronJob")],
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template.get("spec") or {}}


def _expired(cron_job: JsonObject, own: Sequence[JsonObject]) -> tuple[actions.Delete, ...]:
    """Delete finished Jobs beyond the two limits, oldest first."""
    spec = cron_job["spec"]
    found: list[actions.Delete] = []
    for kind, limit in (
        ("Complete", spec.get("successfulJobsHistoryLimit", 3)),
        ("Failed", spec.get("failedJobsHistoryLimit", 1)),
    ):
        ended = [job for job in own if conditions.is_true((job.get("status") or {}).get("conditions"), kind)]
        ended.sort(key=lambda job: (job["metadata"]["creationTimestamp"], job["metadata"]["name"]))
        surplus = ended[: max(0, len(ended) - limit)]
        found += [actions.delete_of(JOBS, job, propagation="Background") for job in surplus]
    return tuple(found)


def _status(
    cron_job: JsonObject,
    own: Sequence[JsonObject],
    running: Sequence[JsonObject],
    started: JsonObject | None,
    due: datetime | None,
) -> JsonObject:
    current = cron_job.get("status") or {}
    status: JsonObject = {}
    if running:
        status["active"] = [_reference(job) for job in running]
    if started is not None and due is not None:
        status["lastScheduleTime"] = conditions.format_time(due)
    elif "lastScheduleTime" in current:
        status["lastScheduleTime"] = current["lastScheduleTime"]
    ends = [job["status"]["completionTime"] for job in own if (job.get("status") or {}).get("completionTime")]
    last = max([*ends, current.get("lastSuccessfulTime", "")], default="")
    return {**status, "lastSuccessfulTime": last} if last else status


def _reference(job: JsonObject) -> JsonObject:
    fields = job["metadata"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": fields["name"],
        "namespace": fields["namespace"],
        "uid": fields["uid"],
    }


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    return Seen(view.now, view.caches.of(JOBS).in_namespace(key.namespace))


def _owner_of(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    reference = owners.controller_reference(change.object)
    if reference is None or reference["kind"] != "CronJob":
        return ()
    return (runner.Key(CRON_JOBS, change.object["metadata"]["namespace"], reference["name"]),)


CONTROLLER = runner.Controller(
    name=NAME,
    watches=(runner.own_keys(CRON_JOBS), runner.Watch(JOBS, _owner_of)),
    observe=observe,
    reconcile=reconcile,
)
