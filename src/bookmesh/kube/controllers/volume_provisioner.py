"""
The provisioner of the lab: makes a volume for a claim of its classes, a directory of the node, and lets it grow.

The node makes the directory when a pod first uses it, and removes it with the volume. How large a volume is said to
be limits nothing: all of them share the node's disk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bookmesh.base import volumes as agreed
from bookmesh.base.kubernetes import STORAGE_CLASSES, VOLUME_CLAIMS, VOLUMES, JsonObject, Resource
from bookmesh.kube.controllers import actions, informers, owners, runner, volume_claims, volume_matching

NAME: Final = agreed.PROVISIONER
_NOWHERE: Final = "/var/lib/bookmesh/claims"


@dataclass(frozen=True, slots=True)
class Seen:
    """The class of the claim and the volume it has or would get; `directory` "" is a cluster without a node."""

    directory: str
    storage_class: JsonObject | None = None
    volume: JsonObject | None = None


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Make the volume of one claim, or let it grow."""
    if seen.storage_class is None or seen.storage_class["provisioner"] != agreed.PROVISIONER:
        return ()
    if volume_matching.is_completely_bound(desired):
        return _grow(desired, seen.volume)
    if owners.is_being_deleted(desired) or not _is_asked(desired) or seen.volume is not None:
        return ()
    if why := _refusal(desired):
        message = f'failed to provision volume with StorageClass "{volume_matching.class_of(desired)}": {why}'
        return (actions.Event(desired, "ProvisioningFailed", message, "Warning"),)
    metadata = desired["metadata"]
    began = (
        f'External provisioner is provisioning volume for claim "{metadata["namespace"]}/{metadata["name"]}"'
    )
    volume = build_volume(desired, seen.storage_class, directory=seen.directory)
    done = f"Successfully provisioned volume {volume['metadata']['name']}"
    return (
        actions.Event(desired, "Provisioning", began),
        actions.Create(VOLUMES, volume, event=actions.Event(desired, "ProvisioningSucceeded", done)),
    )


def build_volume(claim: JsonObject, storage_class: JsonObject, *, directory: str) -> JsonObject:
    """Build the volume of a claim, set aside for it."""
    name, metadata = volume_name(claim), claim["metadata"]
    fields = ("namespace", "name", "uid", "resourceVersion")
    volume: JsonObject = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {volume_matching.PROVISIONED_BY: agreed.PROVISIONER},
        },
        "spec": {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": claim["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": "Filesystem",
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{key: metadata[key] for key in fields if key in metadata},
            },
            "hostPath": {"path": f"{directory or _NOWHERE}/{name}", "type": "DirectoryOrCreate"},
        },
    }
    if directory and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete":
        volume["metadata"]["finalizers"] = [agreed.CONTENTS_FINALIZER]
    return volume


def volume_name(claim: JsonObject) -> str:
    return f"pvc-{claim['metadata']['uid']}"


def _is_asked(claim: JsonObject) -> bool:
    asked = volume_matching.annotation(claim, volume_claims.PROVISIONERS[-1])
    return asked == agreed.PROVISIONER and not claim["spec"].get("volumeName")


def _refusal(claim: JsonObject) -> str:
    if claim["spec"].get("selector"):
        return "claim Selector is not supported"
    if claim["spec"].get("volumeMode") == "Block":
        return f"{agreed.PROVISIONER} makes no block volumes"
    return ""


def _grow(claim: JsonObject, volume: JsonObject | None) -> actions.Actions:
    """Say that a volume is as large as its claim wants it now."""
    has = volume_matching.capacity(volume) if volume is not None else None
    wanted = volume_matching.requested(claim)
    status = claim.get("status") or {}
    if volume is None or has is None or volume_matching.phase(claim) != "Bound":
        return ()
    size = {"storage": claim["spec"]["resources"]["requests"]["storage"]}
    if has.value >= wanted.value:
        size = {"storage": volume["spec"]["capacity"]["storage"]}
        return actions.patch_status(VOLUME_CLAIMS, claim, {**status, "capacity": size})
    name = volume["metadata"]["name"]
    return (
        actions.Event(claim, "Resizing", f"External resizer is resizing volume {name}"),
        actions.patch_of(VOLUMES, volume, {"spec": {"capacity": size}}),
        *actions.patch_status(VOLUME_CLAIMS, claim, {**status, "capacity": size}),
        actions.Event(claim, "VolumeResizeSuccessful", "Resize volume succeeded"),
    )


def controller(*, directory: str) -> runner.Controller:
    """Declare the provisioner; `directory` is where the node keeps volumes, "" when there is no node."""

    async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
        name = desired["spec"].get("volumeName") or volume_name(desired)
        return Seen(
            directory,
            view.caches.of(STORAGE_CLASSES).get("", volume_matching.class_of(desired)),
            view.caches.of(VOLUMES).get("", name),
        )

    return runner.Controller(
        name=NAME,
        watches=(runner.own_keys(VOLUME_CLAIMS), runner.Watch(STORAGE_CLASSES, _claims_of_class)),
        reads=(VOLUMES,),
        observe=observe,
        reconcile=reconcile,
    )


def _claims_of_class(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    for claim in caches.of(VOLUME_CLAIMS).all():
        if volume_matching.class_of(claim) == change.object["metadata"]["name"]:
            yield runner.key_of(VOLUME_CLAIMS, claim)
