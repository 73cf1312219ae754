"""Rows of autoscalers."""

from __future__ import annotations

import datetime
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import columns
from bookmesh.kube.api.tables.columns import Column

AUTOSCALER_COLUMNS: Final = (
    columns.NAME,
    Column("Reference"),
    Column("Targets"),
    Column("MinPods"),
    Column("MaxPods", "integer"),
    Column("Replicas", "integer"),
    columns.AGE,
)


def autoscaler_row(autoscaler: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `AUTOSCALER_COLUMNS`."""
    spec, status = autoscaler.get("spec") or {}, autoscaler.get("status") or {}
    reference = spec.get("scaleTargetRef") or {}
    return [
        autoscaler["metadata"]["name"],
        f"{reference.get('kind', '')}/{reference.get('name', '')}",
        ", ".join(_target(metric) for metric in spec.get("metrics") or []) or columns.NONE,
        str(spec.get("minReplicas", columns.UNKNOWN)),
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        columns.age(autoscaler, now),
    ]


def _target(metric: JsonObject) -> str:
    """What is measured, which nobody does here, and what is wanted."""
    resource = metric.get("resource") or metric.get("containerResource")
    if resource is None:
        return columns.UNKNOWN
    target = resource.get("target") or {}
    share = target.get("averageUtilization")
    wanted = (
        f"{share}%" if share is not None else str(target.get("averageValue") or target.get("value") or "auto")
    )
    return f"{resource.get('name', '')}: {columns.UNKNOWN}/{wanted}"
