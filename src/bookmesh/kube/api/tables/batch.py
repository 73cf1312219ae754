"""Rows of what ends by itself: jobs, and cron jobs that make them."""

from __future__ import annotations

import datetime
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import columns, workloads
from bookmesh.kube.api.tables.columns import Column

JOB_COLUMNS: Final = (
    columns.NAME,
    Column("Status"),
    Column("Completions"),
    Column("Duration"),
    columns.AGE,
    *workloads.WIDE,
)

CRON_JOB_COLUMNS: Final = (
    columns.NAME,
    Column("Schedule"),
    Column("Timezone"),
    Column("Suspend"),
    Column("Active", "integer"),
    Column("Last Schedule"),
    columns.AGE,
    *workloads.WIDE,
)


def cron_job_row(cron_job: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `CRON_JOB_COLUMNS`."""
    spec, status = cron_job.get("spec") or {}, cron_job.get("status") or {}
    last = status.get("lastScheduleTime")
    return [
        cron_job["metadata"]["name"],
        spec.get("schedule", ""),
        spec.get("timeZone") or columns.NONE,
        str(bool(spec.get("suspend"))),
        len(status.get("active") or []),
        columns.since(last, now) if last else columns.NONE,
        columns.age(cron_job, now),
        *workloads.template_cells((spec.get("jobTemplate") or {}).get("spec") or {}),
    ]


def job_row(job: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `JOB_COLUMNS`."""
    spec, status = job.get("spec") or {}, job.get("status") or {}
    return [
        job["metadata"]["name"],
        _job_state(job),
        f"{status.get('succeeded', 0)}/{_wanted(spec)}",
        _duration(status, now),
        columns.age(job, now),
        *workloads.template_cells(spec),
    ]


def _job_state(job: JsonObject) -> str:
    found = {
        entry["type"]
        for entry in (job.get("status") or {}).get("conditions") or []
        if entry["status"] == "True"
    }
    for kind in ("Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if kind in found:
            return kind
    return "Terminating" if job["metadata"].get("deletionTimestamp") else "Running"


def _wanted(spec: JsonObject) -> str:
    if spec.get("completions") is not None:
        return str(spec["completions"])
    parallel = spec.get("parallelism", 1)
    return f"1 of {parallel}" if parallel > 1 else "1"


def _duration(status: JsonObject, now: datetime.datetime) -> str:
    if not status.get("startTime"):
        return ""
    end = status.get("completionTime")
    moment = datetime.datetime.fromisoformat(end) if end else now
    return columns.since(status["startTime"], moment)
