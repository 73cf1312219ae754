"""Namespaces: labelled with their name, alive until the finalizer `kubernetes` is gone from `spec`."""

from __future__ import annotations

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api.strategies import base

_NAME_LABEL = "kubernetes.io/metadata.name"
_UNDELETABLE = frozenset({"default", "kube-system", "kube-public"})


class NamespaceStrategy(base.Strategy):
    """`spec.finalizers` is the namespace controller's to empty, through the subresource `finalize`."""

    def prepare_create(self, obj: JsonObject) -> None:
        self._label(obj)
        obj["spec"] = {"finalizers": ["kubernetes"]}
        obj["status"] = {"phase": "Active"}

    def prepare_update(self, obj: JsonObject, old: JsonObject) -> None:
        self._label(obj)
        obj["spec"] = old.get("spec", {})

    def check_delete(self, obj: JsonObject) -> None:
        name = obj["metadata"]["name"]
        if name in _UNDELETABLE:
            message = f'namespaces "{name}" is forbidden: this namespace may not be deleted'
            raise ApiError(403, "Forbidden", message, details={"name": name, "kind": "namespaces"})

    def begin_deletion(self, obj: JsonObject) -> None:
        obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}

    def is_held(self, obj: JsonObject) -> bool:
        return bool((obj.get("spec") or {}).get("finalizers"))

    def _label(self, obj: JsonObject) -> None:
        metadata = obj["metadata"]
        if metadata.get("name"):  # without one it is refused later
            metadata["labels"] = {**(metadata.get("labels") or {}), _NAME_LABEL: metadata["name"]}
