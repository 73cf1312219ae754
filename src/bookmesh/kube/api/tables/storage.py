"""Rows of volume claims and storage classes."""

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
    modes = status.get("accessModes") or []
    return [
        claim["metadata"]["name"],
        status.get("phase", ""),
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", ""),
        ",".join(_MODES.get(mode, mode) for mode in modes),
        spec.get("storageClassName", ""),
        "<unset>",
        columns.age(claim, now),
        spec.get("volumeMode", "Filesystem"),
    ]


def class_row(storage_class: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `CLASS_COLUMNS`."""
    return [
        storage_class["metadata"]["name"],
        storage_class.get("provisioner", ""),
        storage_class.get("reclaimPolicy", "Delete"),
        storage_class.get("volumeBindingMode", "Immediate"),
        str(bool(storage_class.get("allowVolumeExpansion"))).lower(),
        columns.age(storage_class, now),
    ]
