"""Persistent volumes: they start Pending, and stay while a claim has them."""

from __future__ import annotations

from bookmesh.base import volumes
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.strategies import base


class VolumeStrategy(base.Strategy):
    """Controllers say in which phase a volume is."""

    def prepare_create(self, obj: JsonObject) -> None:
        volumes.protect(obj, volumes.VOLUME_FINALIZER)
        obj["status"] = {"phase": "Pending"}
