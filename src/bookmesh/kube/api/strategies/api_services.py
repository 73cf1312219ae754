"""APIServices: those without a Service are answered here, and available from the start."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import metadata
from bookmesh.kube.api.strategies import base


class ApiServiceStrategy(base.Strategy):
    """What has a Service is looked at by the aggregator, which writes its condition."""

    def __init__(self, clock: metadata.Clock) -> None:
        self._clock = clock

    def prepare_create(self, obj: JsonObject) -> None:
        obj["status"] = {}
        self._mark_local(obj)

    def prepare_update(self, obj: JsonObject, old: JsonObject) -> None:
        if (old.get("spec") or {}).get("service") is not None:
            self._mark_local(obj)

    def _mark_local(self, obj: JsonObject) -> None:
        if (obj.get("spec") or {}).get("service") is None:
            condition = {
                "type": "Available",
                "status": "True",
                "reason": "Local",
                "message": "Local APIServices are always available",
                "lastTransitionTime": metadata.timestamp(self._clock()),
            }
            obj["status"] = {"conditions": [condition]}
