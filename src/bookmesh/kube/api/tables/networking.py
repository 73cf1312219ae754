"""Rows of ingresses, their classes, and network policies."""

from __future__ import annotations

import datetime
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import scaling
from bookmesh.kube.api.tables import columns
from bookmesh.kube.api.tables.columns import Column

INGRESS_COLUMNS: Final = (
    columns.NAME,
    Column("Class"),
    Column("Hosts"),
    Column("Address"),
    Column("Ports"),
    columns.AGE,
)
INGRESS_CLASS_COLUMNS: Final = (columns.NAME, Column("Controller"), Column("Parameters"), columns.AGE)

NETWORK_POLICY_COLUMNS: Final = (columns.NAME, Column("Pod-Selector"), columns.AGE)


def network_policy_row(policy: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `NETWORK_POLICY_COLUMNS`."""
    selector = (policy.get("spec") or {}).get("podSelector") or {}
    return [
        policy["metadata"]["name"],
        scaling.selector_text(selector) or columns.NONE,
        columns.age(policy, now),
    ]


def ingress_row(ingress: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `INGRESS_COLUMNS`."""
    spec = ingress.get("spec") or {}
    hosts = [rule["host"] for rule in spec.get("rules") or [] if rule.get("host")]
    entries = ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    addresses = [entry.get("ip") or entry.get("hostname") or "" for entry in entries]
    return [
        ingress["metadata"]["name"],
        spec.get("ingressClassName") or columns.NONE,
        columns.limited(hosts) if hosts else "*",
        ",".join(addresses),
        "80, 443" if spec.get("tls") else "80",
        columns.age(ingress, now),
    ]


def ingress_class_row(ingress_class: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `INGRESS_CLASS_COLUMNS`."""
    spec = ingress_class.get("spec") or {}
    parameters = spec.get("parameters")
    shown = columns.NONE
    if parameters:
        group = f".{parameters['apiGroup']}" if parameters.get("apiGroup") else ""
        shown = f"{parameters['kind']}{group}/{parameters['name']}"
    return [
        ingress_class["metadata"]["name"],
        spec.get("controller", ""),
        shown,
        columns.age(ingress_class, now),
    ]
