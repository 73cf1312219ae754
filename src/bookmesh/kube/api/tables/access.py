"""Rows of API services, roles, bindings, admission webhooks, policies and requests for certificates."""

from __future__ import annotations

import datetime
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import columns
from bookmesh.kube.api.tables.columns import Column

API_SERVICE_COLUMNS: Final = (columns.NAME, Column("Service"), Column("Available"), columns.AGE)
ROLE_COLUMNS: Final = (columns.NAME, Column("Created At", "date"))
WEBHOOK_COLUMNS: Final = (columns.NAME, Column("Webhooks", "integer"), columns.AGE)
POLICY_COLUMNS: Final = (columns.NAME, Column("Validations", "integer"), Column("ParamKind"), columns.AGE)
MUTATION_COLUMNS: Final = (columns.NAME, Column("Mutations", "integer"), Column("ParamKind"), columns.AGE)
POLICY_BINDING_COLUMNS: Final = (columns.NAME, Column("PolicyName"), Column("ParamRef"), columns.AGE)
REQUEST_COLUMNS: Final = (
    columns.NAME,
    columns.AGE,
    Column("SignerName"),
    Column("Requestor"),
    Column("RequestedDuration"),
    Column("Condition"),
)
BINDING_COLUMNS: Final = (
    columns.NAME,
    Column("Role"),
    columns.AGE,
    *columns.wide("Users", "Groups", "ServiceAccounts"),
)


def api_service_row(registered: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `API_SERVICE_COLUMNS`."""
    service = (registered.get("spec") or {}).get("service")
    conditions = (registered.get("status") or {}).get("conditions") or []
    found = next((each for each in conditions if each["type"] == "Available"), {"status": "Unknown"})
    available = found["status"]
    if available != "True" and found.get("reason"):
        available = f"{available} ({found['reason']})"
    return [
        registered["metadata"]["name"],
        f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local",
        available,
        columns.age(registered, now),
    ]


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


def policy_row(policy: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `POLICY_COLUMNS`, and for `MUTATION_COLUMNS`."""
    spec = policy.get("spec") or {}
    kind = spec.get("paramKind") or {}
    shown = f"{kind['apiVersion']}/{kind['kind']}" if kind else "<unset>"
    count = len(spec.get("validations") or spec.get("mutations") or [])
    return [policy["metadata"]["name"], count, shown, columns.age(policy, now)]


def policy_binding_row(binding: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `POLICY_BINDING_COLUMNS`."""
    spec = binding.get("spec") or {}
    reference = spec.get("paramRef") or {}
    names = [each for each in (reference.get("namespace"), reference.get("name")) if each]
    shown = "/".join(names) if reference.get("name") else "*" if reference else "<unset>"
    return [binding["metadata"]["name"], spec.get("policyName", ""), shown, columns.age(binding, now)]


def request_row(request: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `REQUEST_COLUMNS`."""
    spec, status = request.get("spec") or {}, request.get("status") or {}
    kinds = {entry["type"] for entry in status.get("conditions") or []}
    told = [kind for kind in ("Approved", "Denied", "Failed") if kind in kinds]
    told += ["Issued"] if status.get("certificate") else []
    life_s = spec.get("expirationSeconds")
    wanted = columns.NONE if life_s is None else columns.duration(life_s)
    return [
        request["metadata"]["name"],
        columns.age(request, now),
        spec.get("signerName") or columns.NONE,
        spec.get("username", ""),
        wanted,
        ",".join(told) or "Pending",
    ]
