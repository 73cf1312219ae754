"""Volume claims: they start Pending, in the default class if they name none, and stay while a pod uses them."""

from __future__ import annotations

from bookmesh.base import volumes
from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api.strategies import base
from bookmesh.kube.schema import amounts
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

_CLASSES = records.GroupResource("storage.k8s.io", "storageclasses")
_FIXED_SIZE = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
    "support resize"
)


class ClaimStrategy(base.Strategy):
    """Reads storage classes from the store."""

    def __init__(self, store: stores.Store) -> None:
        self._store = store

    def prepare_create(self, obj: JsonObject) -> None:
        spec = obj.setdefault("spec", {})
        volumes.protect(obj, volumes.CLAIM_FINALIZER)
        obj["status"] = {"phase": "Pending"}
        if spec.get("storageClassName") is None:
            classes = [stored.object for stored in self._store.list(_CLASSES)]
            if default := volumes.default_class(classes):
                spec["storageClassName"] = default["metadata"]["name"]

    def allocate(self, obj: JsonObject, old: JsonObject | None) -> None:
        """
        Let a claim grow where its class allows it.

        Raises:
            ApiError: 403 where it does not.
        """
        if old is None or _size(obj).value <= _size(old).value:
            return
        stored = self._store.get(_CLASSES, "", obj["spec"].get("storageClassName") or "")
        if stored is None or not stored.object.get("allowVolumeExpansion"):
            name = obj["metadata"]["name"]
            message = f'persistentvolumeclaims "{name}" is forbidden: {_FIXED_SIZE}'
            details = {"name": name, "kind": "persistentvolumeclaims"}
            raise ApiError(403, "Forbidden", message, details=details)


def _size(claim: JsonObject) -> amounts.Amount:
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return amounts.parse(requests.get("storage", 0))
