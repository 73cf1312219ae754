"""Claims for volumes, and volumes."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema.defaults.filling import child, fill


def fill_claim(claim: JsonObject) -> None:
    fill(child(claim, "spec"), volumeMode="Filesystem")
    fill(child(claim, "status"), phase="Pending")


def fill_volume(volume: JsonObject) -> None:
    fill(child(volume, "spec"), volumeMode="Filesystem", persistentVolumeReclaimPolicy="Retain")
    fill(child(volume, "status"), phase="Pending")


def fill_storage_class(storage_class: JsonObject) -> None:
    fill(storage_class, reclaimPolicy="Delete", volumeBindingMode="Immediate")
