"""Rows of what keeps pods: deployments, replica sets, stateful sets, daemon sets, and their budgets and revisions."""

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

STATEFUL_SET_COLUMNS: Final = (
    columns.NAME,
    columns.Column("Ready"),
    columns.AGE,
    *columns.wide("Containers", "Images"),
)
DAEMON_SET_COLUMNS: Final = (
    columns.NAME,
    columns.Column("Desired", "integer"),
    columns.Column("Current", "integer"),
    columns.Column("Ready", "integer"),
    columns.Column("Up-to-date", "integer"),
    columns.Column("Available", "integer"),
    columns.Column("Node Selector"),
    columns.AGE,
    *WIDE,
)
REVISION_COLUMNS: Final = (
    columns.NAME,
    columns.Column("Controller"),
    columns.Column("Revision", "integer"),
    columns.AGE,
)
BUDGET_COLUMNS: Final = (
    columns.NAME,
    columns.Column("Min Available"),
    columns.Column("Max Unavailable"),
    columns.Column("Allowed Disruptions", "integer"),
    columns.AGE,
)


def stateful_set_row(stateful_set: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `STATEFUL_SET_COLUMNS`."""
    spec, status = stateful_set.get("spec") or {}, stateful_set.get("status") or {}
    return [
        stateful_set["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        columns.age(stateful_set, now),
        *template_cells(spec)[:2],
    ]


def daemon_set_row(daemon_set: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `DAEMON_SET_COLUMNS`."""
    spec, status = daemon_set.get("spec") or {}, daemon_set.get("status") or {}
    numbers = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    chosen = ((spec.get("template") or {}).get("spec") or {}).get("nodeSelector")
    return [
        daemon_set["metadata"]["name"],
        *(status.get(number, 0) for number in numbers),
        columns.pairs(chosen),
        columns.age(daemon_set, now),
        *template_cells(spec),
    ]


def revision_row(revision: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `REVISION_COLUMNS`."""
    owners = revision["metadata"].get("ownerReferences") or []
    owner = next((entry for entry in owners if entry.get("controller")), None)
    group = (owner or {}).get("apiVersion", "").partition("/")[0]
    shown = f"{owner['kind'].lower()}.{group}/{owner['name']}" if owner else columns.NONE
    return [
        revision["metadata"]["name"],
        shown,
        revision.get("revision", 0),
        columns.age(revision, now),
    ]


def budget_row(budget: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `BUDGET_COLUMNS`."""
    spec, status = budget.get("spec") or {}, budget.get("status") or {}
    limits = (spec.get("minAvailable"), spec.get("maxUnavailable"))
    return [
        budget["metadata"]["name"],
        *("N/A" if limit is None else str(limit) for limit in limits),
        status.get("disruptionsAllowed", 0),
        columns.age(budget, now),
    ]


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
