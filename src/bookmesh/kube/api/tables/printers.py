"""Which printer belongs to which kind, and the Table object around its rows."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import (
    access,
    batch,
    columns,
    core,
    jsonpath,
    limits,
    networking,
    placing,
    pods,
    scaling,
    storage,
    workloads,
)
from bookmesh.kube.schema import kinds as kinds_module

_PRINTERS: Final[Mapping[tuple[str, str], columns.Printer]] = {
    ("", "Pod"): columns.Printer(pods.COLUMNS, pods.row),
    ("", "Service"): columns.Printer(core.SERVICE_COLUMNS, core.service_row),
    ("", "Namespace"): columns.Printer(core.NAMESPACE_COLUMNS, core.namespace_row),
    ("", "Node"): columns.Printer(core.NODE_COLUMNS, core.node_row),
    ("", "ConfigMap"): columns.Printer(core.CONFIG_MAP_COLUMNS, core.config_map_row),
    ("", "Secret"): columns.Printer(core.SECRET_COLUMNS, core.secret_row),
    ("", "ServiceAccount"): columns.Printer(core.SERVICE_ACCOUNT_COLUMNS, core.service_account_row),
    ("", "Endpoints"): columns.Printer(core.ENDPOINTS_COLUMNS, core.endpoints_row),
    ("", "LimitRange"): columns.Printer(limits.RANGE_COLUMNS, limits.range_row),
    ("", "ResourceQuota"): columns.Printer(limits.QUOTA_COLUMNS, limits.quota_row),
    ("", "Event"): columns.Printer(core.EVENT_COLUMNS, core.event_row),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): columns.Printer(
        access.MUTATION_COLUMNS, access.policy_row
    ),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): columns.Printer(
        access.POLICY_BINDING_COLUMNS, access.policy_binding_row
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): columns.Printer(
        access.POLICY_COLUMNS, access.policy_row
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): columns.Printer(
        access.POLICY_BINDING_COLUMNS, access.policy_binding_row
    ),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): columns.Printer(
        access.WEBHOOK_COLUMNS, access.webhook_row
    ),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): columns.Printer(
        access.WEBHOOK_COLUMNS, access.webhook_row
    ),
    ("apps", "Deployment"): columns.Printer(workloads.DEPLOYMENT_COLUMNS, workloads.deployment_row),
    ("apps", "ReplicaSet"): columns.Printer(workloads.REPLICA_SET_COLUMNS, workloads.replica_set_row),
    ("", "PersistentVolumeClaim"): columns.Printer(storage.CLAIM_COLUMNS, storage.claim_row),
    ("", "PersistentVolume"): columns.Printer(storage.VOLUME_COLUMNS, storage.volume_row),
    ("apps", "ControllerRevision"): columns.Printer(workloads.REVISION_COLUMNS, workloads.revision_row),
    ("apps", "DaemonSet"): columns.Printer(workloads.DAEMON_SET_COLUMNS, workloads.daemon_set_row),
    ("apps", "StatefulSet"): columns.Printer(workloads.STATEFUL_SET_COLUMNS, workloads.stateful_set_row),
    ("autoscaling", "HorizontalPodAutoscaler"): columns.Printer(
        scaling.AUTOSCALER_COLUMNS, scaling.autoscaler_row
    ),
    ("certificates.k8s.io", "CertificateSigningRequest"): columns.Printer(
        access.REQUEST_COLUMNS, access.request_row
    ),
    ("batch", "CronJob"): columns.Printer(batch.CRON_JOB_COLUMNS, batch.cron_job_row),
    ("networking.k8s.io", "NetworkPolicy"): columns.Printer(
        networking.NETWORK_POLICY_COLUMNS, networking.network_policy_row
    ),
    ("node.k8s.io", "RuntimeClass"): columns.Printer(
        placing.RUNTIME_CLASS_COLUMNS, placing.runtime_class_row
    ),
    ("policy", "PodDisruptionBudget"): columns.Printer(workloads.BUDGET_COLUMNS, workloads.budget_row),
    ("scheduling.k8s.io", "PriorityClass"): columns.Printer(
        placing.PRIORITY_CLASS_COLUMNS, placing.priority_class_row
    ),
    ("storage.k8s.io", "StorageClass"): columns.Printer(storage.CLASS_COLUMNS, storage.class_row),
    ("batch", "Job"): columns.Printer(batch.JOB_COLUMNS, batch.job_row),
    ("networking.k8s.io", "Ingress"): columns.Printer(networking.INGRESS_COLUMNS, networking.ingress_row),
    ("networking.k8s.io", "IngressClass"): columns.Printer(
        networking.INGRESS_CLASS_COLUMNS, networking.ingress_class_row
    ),
    ("rbac.authorization.k8s.io", "ClusterRole"): columns.Printer(access.ROLE_COLUMNS, access.role_row),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): columns.Printer(
        access.BINDING_COLUMNS, access.binding_row
    ),
    ("rbac.authorization.k8s.io", "Role"): columns.Printer(access.ROLE_COLUMNS, access.role_row),
    ("rbac.authorization.k8s.io", "RoleBinding"): columns.Printer(access.BINDING_COLUMNS, access.binding_row),
    ("discovery.k8s.io", "EndpointSlice"): columns.Printer(
        core.ENDPOINT_SLICE_COLUMNS, core.endpoint_slice_row
    ),
    ("coordination.k8s.io", "Lease"): columns.Printer(core.LEASE_COLUMNS, core.lease_row),
    ("apiregistration.k8s.io", "APIService"): columns.Printer(
        access.API_SERVICE_COLUMNS, access.api_service_row
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): columns.Printer(
        core.DEFINITION_COLUMNS, core.definition_row
    ),
}
_PLAIN: Final = columns.Printer(
    (columns.NAME, columns.AGE), lambda obj, now: [obj["metadata"]["name"], columns.age(obj, now)]
)


def printer_for(kind: kinds_module.Kind) -> columns.Printer:
    """The printer of a kind: its own, the one its CRD describes, or name and age."""
    if kind.columns:
        return _custom(kind.columns)
    return _PRINTERS.get((kind.group, kind.kind), _PLAIN)


def build_table(
    kind: kinds_module.Kind,
    objects: Iterable[JsonObject],
    *,
    metadata: JsonObject,
    now: datetime.datetime,
    version: str = "v1",
    include: str = "Metadata",
    is_first: bool = True,
) -> JsonObject:
    """
    Build a `Table`.

    Args:
        include: what each row carries besides its cells: "Metadata", "Object" or "None".
        is_first: watch events after the first one leave the column definitions out.
    """
    printer = printer_for(kind)
    rows = []
    for obj in objects:
        entry: JsonObject = {"cells": printer.row(obj, now)}
        if include == "Object":
            entry["object"] = obj
        elif include != "None":
            entry["object"] = partial_metadata(obj, version)
        rows.append(entry)
    definitions = [column.definition() for column in printer.columns] if is_first else None
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def partial_metadata(obj: JsonObject, version: str = "v1") -> JsonObject:
    """Build a `PartialObjectMetadata`: the object without all that makes it one."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": obj["metadata"],
    }


def _custom(described: Sequence[kinds_module.Column]) -> columns.Printer:
    """A printer from `additionalPrinterColumns`."""
    shown = [
        columns.Column(entry.name, entry.type, entry.format, entry.priority, entry.description)
        for entry in described
    ]

    def row(obj: JsonObject, now: datetime.datetime) -> list[Any]:
        cells = [_custom_cell(jsonpath.find(obj, entry.json_path), entry.type, now) for entry in described]
        return [obj["metadata"]["name"], *cells]

    return columns.Printer((columns.NAME, *shown), row)


def _custom_cell(found: list[Any], kind: str, now: datetime.datetime) -> Any:
    """The first value found, as its column's type wants it; None shows as an empty cell."""
    if not found or found[0] is None:
        return None
    value = found[0]
    if kind == "date":
        return columns.since(str(value), now)
    if kind in {"integer", "number"}:
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    return value if isinstance(value, str) else orjson.dumps(value).decode()
