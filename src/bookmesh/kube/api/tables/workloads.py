"""Rows of what makes pods: deployments, replica sets."""

from __future__ import annotations

import datetime
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import scaling
from bookmesh.kube.api.tables import columns

WIDE: Final = columns.wide("Containers", "Images", "Selector")

DEPLOYMENT_COLUMNS: Final = (
    columns.NAME,
    columns.Column("Ready", description="Pods that are ready, of all that are wanted."),
    columns.Column("Up-to-date", "integer"),
    columns.Column("Available", "integer"),
    columns.AGE,
    *WIDE,
)
REPLICA_SET_COLUMNS: Final = (
    columns.NAME,
    columns.Column("Desired", "integer"),
    columns.Column("Current", "integer"),
    columns.Column("Ready", "integer"),
    columns.AGE,
    *WIDE,
)


def deployment_row(deployment: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `DEPLOYMENT_COLUMNS`."""
    spec, status = deployment.get("spec") or {}, deployment.get("status") or {}
    return [
        deployment["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        columns.age(deployment, now),
        *template_cells(spec),
    ]


def replica_set_row(replica_set: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `REPLICA_SET_COLUMNS`."""
    spec, status = replica_set.get("spec") or {}, replica_set.get("status") or {}
    return [
        replica_set["metadata"]["name"],
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        columns.age(replica_set, now),
        *template_cells(spec),
    ]


def template_cells(spec: JsonObject) -> list[str]:
    """Cells for `WIDE`."""
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or []
    return [
        ",".join(container["name"] for container in containers),
        ",".join(container.get("image", "") for container in containers),
        scaling.selector_text(spec.get("selector") or {}) or columns.NONE,
    ]
