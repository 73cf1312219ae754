"""Rows of volumes, volume claims and storage classes."""

from __future__ import annotations

import datetime
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import columns
from bookmesh.kube.api.tables.columns import Column

CLAIM_COLUMNS: Final = (
    columns.NAME,
    Column("Status"),
    Column("Volume"),
    Column("Capacity"),
    Column("Access Modes"),
    Column("StorageClass"),
    Column("VolumeAttributesClass"),
    columns.AGE,
    *columns.wide("VolumeMode"),
)
VOLUME_COLUMNS: Final = (
    columns.NAME,
    Column("Capacity"),
    Column("Access Modes"),
    Column("Reclaim Policy"),
    Column("Status"),
    Column("Claim"),
    Column("StorageClass"),
    Column("VolumeAttributesClass"),
    Column("Reason"),
    columns.AGE,
    *columns.wide("VolumeMode"),
)
CLASS_COLUMNS: Final = (
    columns.NAME,
    Column("Provisioner"),
    Column("ReclaimPolicy"),
    Column("VolumeBindingMode"),
    Column("AllowVolumeExpansion"),
    columns.AGE,
)
_MODES: Final = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def claim_row(claim: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `CLAIM_COLUMNS`."""
    spec, status = claim.get("spec") or {}, claim.get("status") or {}
    return [
        claim["metadata"]["name"],
        _phase(claim),
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", ""),
        _modes(status),
        spec.get("storageClassName") or "",
        spec.get("volumeAttributesClassName") or "<unset>",
        columns.age(claim, now),
        spec.get("volumeMode", "Filesystem"),
    ]


def volume_row(volume: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `VOLUME_COLUMNS`."""
    spec = volume.get("spec") or {}
    claim = spec.get("claimRef") or {}
    return [
        volume["metadata"]["name"],
        (spec.get("capacity") or {}).get("storage", ""),
        _modes(spec),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(volume),
        f"{claim['namespace']}/{claim['name']}" if claim else "",
        spec.get("storageClassName") or "",
        spec.get("volumeAttributesClassName") or "<unset>",
        (volume.get("status") or {}).get("reason", ""),
        columns.age(volume, now),
        spec.get("volumeMode", "Filesystem"),
    ]


def class_row(storage_class: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `CLASS_COLUMNS`."""
    annotations = storage_class["metadata"].get("annotations") or {}
    is_default = annotations.get("storageclass.kubernetes.io/is-default-class") == "true"
    return [
        storage_class["metadata"]["name"] + (" (default)" if is_default else ""),
        storage_class.get("provisioner", ""),
        storage_class.get("reclaimPolicy", "Delete"),
        storage_class.get("volumeBindingMode", "Immediate"),
        str(bool(storage_class.get("allowVolumeExpansion"))).lower(),
        columns.age(storage_class, now),
    ]


def _phase(obj: JsonObject) -> str:
    phase: str = (obj.get("status") or {}).get("phase", "")
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else phase


def _modes(holder: JsonObject) -> str:
    return ",".join(_MODES.get(mode, mode) for mode in holder.get("accessModes") or [])
