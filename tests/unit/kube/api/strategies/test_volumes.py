"""Volumes are protected from the moment they are made."""

from __future__ import annotations

from bookmesh.base import volumes
from bookmesh.base.kubernetes import VOLUMES
from bookmesh.kube.api import verbs


def test_a_volume_is_pending_and_protected(over: verbs.Verbs) -> None:
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/data"},
    }
    made = over.create(VOLUMES, {"metadata": {"name": "v"}, "spec": spec}).object
    assert made["status"] == {"phase": "Pending"}
    assert made["metadata"]["finalizers"] == [volumes.VOLUME_FINALIZER]
    assert made["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    deleted = over.delete(VOLUMES, "v")
    assert not deleted.is_gone
