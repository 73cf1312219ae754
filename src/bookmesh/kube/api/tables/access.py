"""Rows of roles, bindings and admission webhooks."""

from __future__ import annotations

import datetime
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import columns
from bookmesh.kube.api.tables.columns import Column

ROLE_COLUMNS: Final = (columns.NAME, Column("Created At", "date"))
WEBHOOK_COLUMNS: Final = (columns.NAME, Column("Webhooks", "integer"), columns.AGE)
BINDING_COLUMNS: Final = (
    columns.NAME,
    Column("Role"),
    columns.AGE,
    *columns.wide("Users", "Groups", "ServiceAccounts"),
)


def role_row(role: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `ROLE_COLUMNS`."""
    return [role["metadata"]["name"], role["metadata"].get("creationTimestamp", "")]


def binding_row(binding: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `BINDING_COLUMNS`."""
    reference = binding.get("roleRef") or {}
    by_kind: dict[str, list[str]] = {}
    for subject in binding.get("subjects") or []:
        is_account = subject["kind"] == "ServiceAccount"
        name = f"{subject.get('namespace', '')}/{subject['name']}" if is_account else subject["name"]
        by_kind.setdefault(subject["kind"], []).append(name)
    return [
        binding["metadata"]["name"],
        f"{reference.get('kind', '')}/{reference.get('name', '')}",
        columns.age(binding, now),
        *(", ".join(by_kind.get(kind, [])) for kind in ("User", "Group", "ServiceAccount")),
    ]


def webhook_row(configuration: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `WEBHOOK_COLUMNS`."""
    return [
        configuration["metadata"]["name"],
        len(configuration.get("webhooks") or []),
        columns.age(configuration, now),
    ]
