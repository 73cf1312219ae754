"""Volume claims: each is bound at once, to a directory that the node makes when a pod first uses it."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.strategies import base


class ClaimStrategy(base.Strategy):
    """Binding needs no controller: there is always room for a directory."""

    def prepare_create(self, obj: JsonObject) -> None:
        spec = obj.setdefault("spec", {})
        spec["volumeName"] = f"pvc-{obj['metadata']['uid']}"
        wanted = (spec.get("resources") or {}).get("requests") or {}
        obj["status"] = {"phase": "Bound", "accessModes": spec.get("accessModes") or []}
        if "storage" in wanted:
            obj["status"]["capacity"] = {"storage": wanted["storage"]}

    def prepare_update(self, obj: JsonObject, old: JsonObject) -> None:
        obj.setdefault("spec", {}).setdefault("volumeName", old["spec"].get("volumeName", ""))
