"""Which volume a claim may have: size, class, access modes, volume mode, selector. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import owners, selectors
from bookmesh.kube.schema import amounts

BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER: Final = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"


def annotation(obj: JsonObject, key: str) -> str:
    found: str = (obj["metadata"].get("annotations") or {}).get(key, "")
    return found


def phase(obj: JsonObject) -> str:
    found: str = (obj.get("status") or {}).get("phase", "Pending")
    return found


def class_of(obj: JsonObject) -> str:
    """The class of a volume or a claim; "" is none, which is a class of its own."""
    return obj["spec"].get("storageClassName") or ""


def is_completely_bound(claim: JsonObject) -> bool:
    return bool(claim["spec"].get("volumeName") and annotation(claim, BIND_COMPLETED))


def is_delayed(claim: JsonObject, storage_class: JsonObject | None) -> bool:
    """Whether a claim is bound only when a pod that uses it has a node."""
    mode = (storage_class or {}).get("volumeBindingMode")
    return mode == "WaitForFirstConsumer" and not annotation(claim, SELECTED_NODE)


def requested(claim: JsonObject) -> amounts.Amount:
    return amounts.parse(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", 0))


def capacity(volume: JsonObject) -> amounts.Amount:
    return amounts.parse((volume["spec"].get("capacity") or {}).get("storage", 0))


def is_of(volume: JsonObject, claim: JsonObject) -> bool:
    """Whether a volume is set aside for this claim: by its uid, or by its name alone when nobody bound it yet."""
    reference = volume["spec"].get("claimRef")
    if reference is None:
        return False
    metadata = claim["metadata"]
    if (reference["name"], reference["namespace"]) != (metadata["name"], metadata["namespace"]):
        return False
    return reference.get("uid", "") in ("", metadata["uid"])


def misfit(volume: JsonObject, claim: JsonObject) -> str:
    """Say why a claim cannot have a volume that it, or the volume itself, names; "" when it can."""
    if owners.is_being_deleted(volume):
        return f'the volume is marked for deletion "{volume["metadata"]["name"]}"'
    if capacity(volume).value < requested(claim).value:
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if _mode(volume) != _mode(claim):
        return "incompatible volumeMode"
    if not _has_modes(volume, claim):
        return "incompatible accessMode"
    return ""


def best_match(claim: JsonObject, volumes: Iterable[JsonObject]) -> JsonObject | None:
    """
    Find the volume for a claim that names none.

    Returns:
        One that is set aside for it; else the smallest that is free, those with the fewest access modes first.
    """
    fitting = [volume for volume in volumes if not misfit(volume, claim)]
    own = next((volume for volume in fitting if is_of(volume, claim)), None)
    if own is not None:
        return own
    free = [
        volume
        for volume in fitting
        if volume["spec"].get("claimRef") is None
        and phase(volume) == "Available"
        and _is_selected(volume, claim)
    ]
    return min(free, key=_preference, default=None)


def _preference(volume: JsonObject) -> tuple[int, object, str]:
    return len(volume["spec"]["accessModes"]), capacity(volume).value, volume["metadata"]["name"]


def _is_selected(volume: JsonObject, claim: JsonObject) -> bool:
    selector = claim["spec"].get("selector")
    return not selector or selectors.matches(selector, selectors.labels_of(volume))


def _has_modes(volume: JsonObject, claim: JsonObject) -> bool:
    return set(claim["spec"].get("accessModes") or ()) <= set(volume["spec"].get("accessModes") or ())


def _mode(obj: JsonObject) -> str:
    return obj["spec"].get("volumeMode") or "Filesystem"
