"""Rows of autoscalers."""

from __future__ import annotations

import datetime
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import columns
from bookmesh.kube.api.tables.columns import Column

_SHOWN: Final = 2
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
        _targets(spec.get("metrics") or [], status.get("currentMetrics") or []),
        str(spec.get("minReplicas", columns.UNKNOWN)),
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        columns.age(autoscaler, now),
    ]


def _targets(metrics: list[JsonObject], measured: list[JsonObject]) -> str:
    """Each metric as `cpu: 12%/50%`; of more than two, how many more there are."""
    texts = [
        _target(metric, measured[index] if index < len(measured) else {})
        for index, metric in enumerate(metrics)
    ]
    if not texts:
        return columns.NONE
    shown = ", ".join(texts[:_SHOWN])
    return f"{shown} + {len(texts) - _SHOWN} more..." if len(texts) > _SHOWN else shown


def _target(metric: JsonObject, measured: JsonObject) -> str:
    """What is measured, `<unknown>` where nothing is, and what is wanted."""
    source = metric["type"][:1].lower() + metric["type"][1:]
    entry, current = metric.get(source) or {}, (measured.get(source) or {}).get("current") or {}
    target = entry.get("target") or {}
    share, average = target.get("averageUtilization"), target.get("averageValue")
    if average is not None:
        text = f"{current.get('averageValue', columns.UNKNOWN)}/{average}"
        text += " (avg)" if source in ("object", "external") else ""
    elif share is not None:
        now = current.get("averageUtilization")
        text = f"{columns.UNKNOWN if now is None else f'{now}%'}/{share}%"
    else:
        text = f"{current.get('value', columns.UNKNOWN)}/{target.get('value', 'auto')}"
    return f"{entry['name']}: {text}" if "name" in entry else text
