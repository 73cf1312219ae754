"""Rows of what decides where and by what pods run: priority classes and runtime classes."""

from __future__ import annotations

import datetime
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import columns
from bookmesh.kube.api.tables.columns import Column

PRIORITY_CLASS_COLUMNS: Final = (
    columns.NAME,
    Column("Value", "integer"),
    Column("Global-Default", "boolean"),
    columns.AGE,
    Column("PreemptionPolicy"),
)
RUNTIME_CLASS_COLUMNS: Final = (columns.NAME, Column("Handler"), columns.AGE)


def priority_class_row(priority_class: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `PRIORITY_CLASS_COLUMNS`."""
    return [
        priority_class["metadata"]["name"],
        priority_class.get("value", 0),
        bool(priority_class.get("globalDefault")),
        columns.age(priority_class, now),
        priority_class.get("preemptionPolicy", "PreemptLowerPriority"),
    ]


def runtime_class_row(runtime_class: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `RUNTIME_CLASS_COLUMNS`."""
    return [
        runtime_class["metadata"]["name"],
        runtime_class.get("handler", ""),
        columns.age(runtime_class, now),
    ]
