"""
Says in which phase each volume is, and reclaims those whose claim is gone.

    Available -> Bound -> Released -> (Delete: it goes; Retain: it stays as it is)

A volume that is being deleted stays until no claim has it. What is in a volume of the lab's own provisioner is
removed by the node, which holds the object by a finalizer until then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bookmesh.base import volumes as agreed
from bookmesh.base.kubernetes import VOLUME_CLAIMS, VOLUMES, JsonObject, Resource
from bookmesh.kube.controllers import actions, informers, owners, runner, volume_claims, volume_matching

NAME: Final = volume_claims.NAME


@dataclass(frozen=True, slots=True)
class Seen:
    """The claim by the name that the volume is set aside for, whatever its uid."""

    claim: JsonObject | None = None


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Take the next step of one volume."""
    wanted, steps = _next(desired, seen)
    status: JsonObject = {"phase": wanted}
    if wanted == "Failed":
        status |= {key: each for key, each in (desired.get("status") or {}).items() if key != "phase"}
        status |= _failure(desired)
    found: actions.Actions = actions.patch_status(VOLUMES, desired, status)
    if owners.is_being_deleted(desired) and wanted != "Bound":
        found += _release(desired)
    return (*found, *steps)


def _next(volume: JsonObject, seen: Seen) -> tuple[str, actions.Actions]:
    """The phase, and what else is to be done."""
    reference = volume["spec"].get("claimRef")
    if not (reference or {}).get("uid"):
        return "Available", ()
    claim = seen.claim
    if claim is None or claim["metadata"]["uid"] != reference["uid"]:
        return _reclaim(volume)
    named = claim["spec"].get("volumeName")
    if named == volume["metadata"]["name"]:
        return "Bound", ()
    if not named:  # the claim's turn
        return volume_matching.phase(volume), ()
    if volume_matching.annotation(volume, volume_matching.PROVISIONED_BY):
        return _reclaim(volume)
    return "Available", (_unbind(volume),)


def _reclaim(volume: JsonObject) -> tuple[str, actions.Actions]:
    policy = volume["spec"].get("persistentVolumeReclaimPolicy", "Retain")
    provisioner = volume_matching.annotation(volume, volume_matching.PROVISIONED_BY)
    if policy == "Retain" or owners.is_being_deleted(volume):
        return "Released", ()
    if policy == "Delete" and provisioner == agreed.PROVISIONER:
        return "Released", (actions.delete_of(VOLUMES, volume),)
    if policy == "Delete" and provisioner:
        return "Released", ()  # whoever made it removes it
    if volume_matching.phase(volume) == "Failed":
        return "Failed", ()
    failure = _failure(volume)
    return "Failed", (actions.Event(volume, failure["reason"], failure["message"], "Warning"),)


def _failure(volume: JsonObject) -> JsonObject:
    if volume["spec"].get("persistentVolumeReclaimPolicy") == "Recycle":
        return {"reason": "VolumeFailedRecycle", "message": "No recycler plugin found for the volume!"}
    name = volume["metadata"]["name"]
    why = f'error getting deleter volume plugin for volume "{name}": no deletable volume plugin matched'
    return {"reason": "VolumeFailedDelete", "message": why}


def _unbind(volume: JsonObject) -> actions.Patch:
    """Give up a claim that has another volume; whom a person set it aside for it stays set aside for."""
    if not volume_matching.annotation(volume, volume_matching.BOUND_BY_CONTROLLER):
        return actions.patch_of(VOLUMES, volume, {"spec": {"claimRef": {"uid": None}}})
    annotations = {volume_matching.BOUND_BY_CONTROLLER: None}
    patch = {"metadata": {"annotations": annotations}, "spec": {"claimRef": None}}
    return actions.patch_of(VOLUMES, volume, patch)


def _release(volume: JsonObject) -> actions.Actions:
    finalizers = volume["metadata"].get("finalizers") or []
    if agreed.VOLUME_FINALIZER not in finalizers:
        return ()
    rest = [each for each in finalizers if each != agreed.VOLUME_FINALIZER]
    return (actions.patch_of(VOLUMES, volume, {"metadata": {"finalizers": rest}}),)


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    reference = desired["spec"].get("claimRef")
    if reference is None:
        return Seen()
    return Seen(view.caches.of(VOLUME_CLAIMS).get(reference["namespace"], reference["name"]))


def _volumes_of_claim(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    for volume in caches.of(VOLUMES).all():
        reference = volume["spec"].get("claimRef") or {}
        if reference and informers.place_of(change.object) == (reference["namespace"], reference["name"]):
            yield runner.key_of(VOLUMES, volume)


CONTROLLER: Final = runner.Controller(
    name=NAME,
    watches=(runner.own_keys(VOLUMES), runner.Watch(VOLUME_CLAIMS, _volumes_of_claim)),
    observe=observe,
    reconcile=reconcile,
)
