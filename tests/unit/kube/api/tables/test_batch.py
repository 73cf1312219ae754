"""Rows of jobs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.api.conftest import NOW

from bookmesh.kube.api.tables import batch

METADATA = {"name": "load", "creationTimestamp": "2025-12-31T23:59:00Z"}
SPEC: dict[str, Any] = {"completions": 3, "template": {"spec": {"containers": [{"name": "a", "image": "x"}]}}}


def condition(kind: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": "True"}]}


@pytest.mark.parametrize(
    ("spec", "status", "cells"),
    [
        ({}, {}, ["Running", "0/3", ""]),
        ({}, {"startTime": "2025-12-31T23:59:30Z", "succeeded": 1}, ["Running", "1/3", "30s"]),
        (
            {},
            {
                **condition("Complete"),
                "startTime": "2025-12-31T23:59:30Z",
                "completionTime": "2025-12-31T23:59:42Z",
                "succeeded": 3,
            },
            ["Complete", "3/3", "12s"],
        ),
        ({"completions": None, "parallelism": 2}, condition("Suspended"), ["Suspended", "0/1 of 2", ""]),
        ({"completions": None}, condition("Failed"), ["Failed", "0/1", ""]),
    ],
)
def test_jobs(spec: dict[str, Any], status: dict[str, Any], cells: list[str]) -> None:
    row = batch.job_row({"metadata": METADATA, "spec": {**SPEC, **spec}, "status": status}, NOW)
    assert row == ["load", *cells, "60s", "a", "x", "<none>"]
    assert len(row) == len(batch.JOB_COLUMNS)


def test_a_job_on_its_way_out() -> None:
    going = {"metadata": {**METADATA, "deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": SPEC}
    assert batch.job_row(going, NOW)[1] == "Terminating"


def test_cron_jobs() -> None:
    spec = {"schedule": "*/5 * * * *", "suspend": False, "jobTemplate": {"spec": SPEC}}
    status = {"active": [{}], "lastScheduleTime": "2025-12-31T23:59:30Z"}
    row = batch.cron_job_row({"metadata": METADATA, "spec": spec, "status": status}, NOW)
    assert row == ["load", "*/5 * * * *", "<none>", "False", 1, "30s", "60s", "a", "x", "<none>"]
    assert len(row) == len(batch.CRON_JOB_COLUMNS)
    assert batch.cron_job_row({"metadata": METADATA, "spec": spec}, NOW)[5] == "<none>"
