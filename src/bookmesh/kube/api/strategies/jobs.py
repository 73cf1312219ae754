"""Jobs: each selects its pods by its own uid, unless a client insists on another selector."""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.strategies import base

_UID: Final = "batch.kubernetes.io/controller-uid"
_LABELS: Final = frozenset({_UID, "controller-uid", "batch.kubernetes.io/job-name", "job-name"})


class JobStrategy(base.Strategy):
    """Fills in selector and labels."""

    def prepare_create(self, obj: JsonObject) -> None:
        spec = obj.get("spec") or {}
        if spec.get("manualSelector") or not isinstance(spec.get("template"), dict):
            return
        uid, name = obj["metadata"]["uid"], obj["metadata"].get("name", "")
        fields = spec["template"].setdefault("metadata", {})
        fields["labels"] = {
            **(fields.get("labels") or {}),
            _UID: uid,
            "controller-uid": uid,
            "batch.kubernetes.io/job-name": name,
            "job-name": name,
        }
        if not spec.get("selector"):
            spec["selector"] = {"matchLabels": {_UID: uid}}

    def prepare_update(self, obj: JsonObject, old: JsonObject) -> None:
        # A client that sends what it once wrote does not know what was filled in.
        spec, before = obj.get("spec") or {}, old["spec"]
        if before.get("manualSelector") or not isinstance(spec.get("template"), dict):
            return
        if not spec.get("selector"):
            spec["selector"] = before["selector"]
        known = (before["template"].get("metadata") or {}).get("labels") or {}
        fields = spec["template"].setdefault("metadata", {})
        own = {key: value for key, value in known.items() if key in _LABELS}
        fields["labels"] = {**own, **(fields.get("labels") or {})}
