"""Rows of quotas and limit ranges."""

from __future__ import annotations

import datetime
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import columns
from bookmesh.kube.api.tables.columns import Column

QUOTA_COLUMNS: Final = (columns.NAME, Column("Request"), Column("Limit"), columns.AGE)
RANGE_COLUMNS: Final = (columns.NAME, Column("Created At", "date"))


def quota_row(quota: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `QUOTA_COLUMNS`; every limit as `pods: 1/4`, those of containers' limits apart."""
    status = quota.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    texts = {name: f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)}
    return [
        quota["metadata"]["name"],
        ", ".join(text for name, text in texts.items() if not name.startswith("limits")),
        ", ".join(text for name, text in texts.items() if name.startswith("limits")),
        columns.age(quota, now),
    ]


def range_row(limit_range: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `RANGE_COLUMNS`."""
    metadata = limit_range["metadata"]
    return [metadata["name"], metadata.get("creationTimestamp")]
