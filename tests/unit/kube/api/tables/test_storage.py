"""Rows of volumes, volume claims and storage classes."""

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


def test_a_default_class_is_shown_as_such() -> None:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    row = storage.class_row({"metadata": {**METADATA, "annotations": annotations}, "provisioner": "x"}, NOW)
    assert row[0] == "data (default)"


def test_a_volume() -> None:
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
        "persistentVolumeReclaimPolicy": "Delete",
        "claimRef": {"namespace": "default", "name": "data"},
        "storageClassName": "standard",
        "volumeMode": "Filesystem",
    }
    volume = {
        "metadata": METADATA,
        "spec": spec,
        "status": {"phase": "Failed", "reason": "VolumeFailedDelete"},
    }
    row = storage.volume_row(volume, NOW)
    shown = ["data", "1Gi", "RWO,ROX", "Delete", "Failed", "default/data", "standard", "<unset>"]
    assert row == [*shown, "VolumeFailedDelete", "0s", "Filesystem"]
    assert len(row) == len(storage.VOLUME_COLUMNS)


def test_what_is_being_deleted_is_terminating() -> None:
    going = {**METADATA, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert storage.claim_row({"metadata": going, "status": {"phase": "Bound"}}, NOW)[1] == "Terminating"
    assert storage.volume_row({"metadata": going, "status": {"phase": "Bound"}}, NOW)[4] == "Terminating"
