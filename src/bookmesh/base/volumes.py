"""What the API server, the controllers and the node have to agree on about volumes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bookmesh.base.kubernetes import JsonObject

PROVISIONER: Final = "directory.bookmesh.dev"
"""The provisioner of the lab: a volume is a directory of the node."""
NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"
"""Classes whose volumes people make."""

DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
CLAIM_FINALIZER: Final = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER: Final = "kubernetes.io/pv-protection"
CONTENTS_FINALIZER: Final = "external-provisioner.volume.kubernetes.io/finalizer"
"""Keeps the object of a volume until what is in it is gone too."""


def claim_names(pod: JsonObject) -> dict[str, JsonObject]:
    """The claims that a pod uses: by name of the claim, the volume that names it or stands for it."""
    found: dict[str, JsonObject] = {}
    for volume in pod["spec"].get("volumes") or []:
        if source := volume.get("persistentVolumeClaim"):
            found[source["claimName"]] = volume
        elif volume.get("ephemeral"):
            found[ephemeral_name(pod, volume)] = volume
    return found


def ephemeral_name(pod: JsonObject, volume: JsonObject) -> str:
    """The name of the claim that is made for an `ephemeral` volume."""
    return f"{pod['metadata']['name']}-{volume['name']}"


def default_class(classes: Iterable[JsonObject]) -> JsonObject | None:
    """The class of claims that name none: of several that want to be it the newest, then the first by name."""
    wanted = [
        each for each in classes if (each["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"
    ]
    wanted.sort(key=lambda each: each["metadata"]["name"])
    wanted.sort(key=lambda each: each["metadata"].get("creationTimestamp", ""), reverse=True)
    return wanted[0] if wanted else None


def protect(obj: JsonObject, finalizer: str) -> None:
    """Add a finalizer to a new object, in place."""
    finalizers = obj["metadata"].get("finalizers") or []
    if finalizer not in finalizers:
        obj["metadata"]["finalizers"] = [*finalizers, finalizer]
