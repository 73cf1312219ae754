"""Rows of volume claims and storage classes."""

from __future__ import annotations

from tests.unit.kube.api.conftest import NOW

from bookmesh.kube.api.tables import storage

METADATA = {"name": "data", "creationTimestamp": "2026-01-01T00:00:00Z"}


def test_a_claim() -> None:
    claim = {
        "metadata": METADATA,
        "spec": {"volumeName": "pvc-1", "storageClassName": "standard"},
        "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]},
    }
    row = storage.claim_row(claim, NOW)
    assert row == ["data", "Bound", "pvc-1", "1Gi", "RWO", "standard", "<unset>", "0s", "Filesystem"]
    assert len(row) == len(storage.CLAIM_COLUMNS)


def test_a_class() -> None:
    row = storage.class_row({"metadata": METADATA, "provisioner": "x", "allowVolumeExpansion": True}, NOW)
    assert row == ["data", "x", "Delete", "Immediate", "true", "0s"]
    assert len(row) == len(storage.CLASS_COLUMNS)
