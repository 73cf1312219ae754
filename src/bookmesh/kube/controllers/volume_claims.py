"""
Gives each claim a volume: one that is there and fits, or one that its class has made.

A claim that is bound once stays bound; when its volume goes it is Lost. Claims of a class with the binding mode
`WaitForFirstConsumer` wait here until the scheduler has chosen a volume or a node for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bookmesh.base import volumes as agreed
from bookmesh.base.kubernetes import PODS, STORAGE_CLASSES, VOLUME_CLAIMS, VOLUMES, JsonObject, Resource
from bookmesh.kube.controllers import actions, informers, owners, pods, runner, volume_matching

NAME: Final = "persistentvolume-controller"
PROVISIONERS: Final = (
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-provisioner",
)
"""Annotations that ask a provisioner to make a volume; the last one counts."""
_EXTERNAL: Final = (
    "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system "
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly "
    "registered."
)


@dataclass(frozen=True, slots=True)
class Seen:
    """All volumes, the class of the claim, the class of claims without one, and pods that wait for the claim."""

    volumes: tuple[JsonObject, ...] = ()
    storage_class: JsonObject | None = None
    default_class: JsonObject | None = None
    waiting_pods: tuple[str, ...] = ()

    def volume(self, name: str) -> JsonObject | None:
        return next((each for each in self.volumes if each["metadata"]["name"] == name), None)


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Take the next step of one claim."""
    if volume_matching.annotation(desired, volume_matching.BIND_COMPLETED):
        return _keep(desired, seen)
    if owners.is_being_deleted(desired):
        return ()
    if name := desired["spec"].get("volumeName"):
        return _take_named(desired, name, seen)
    if desired["spec"].get("storageClassName") is None and seen.default_class is not None:
        patch = {"spec": {"storageClassName": seen.default_class["metadata"]["name"]}}
        return (actions.patch_of(VOLUME_CLAIMS, desired, patch),)
    is_delayed = volume_matching.is_delayed(desired, seen.storage_class)
    candidates = [each for each in seen.volumes if not is_delayed or volume_matching.is_of(each, desired)]
    volume = volume_matching.best_match(desired, candidates)
    if volume is not None:
        return _bind(desired, volume)
    return (*_set_phase(desired, "Pending"), *_wait(desired, seen, is_delayed=is_delayed))


def _wait(claim: JsonObject, seen: Seen, *, is_delayed: bool) -> actions.Actions:
    """Ask for a volume, or say what the claim waits for."""
    if is_delayed:
        return (_consumer_event(claim, seen.waiting_pods),)
    name = volume_matching.class_of(claim)
    if not name:
        why = "no persistent volumes available for this claim and no storage class is set"
        return (actions.Event(claim, "FailedBinding", why),)
    if seen.storage_class is None:
        why = f'storageclass.storage.k8s.io "{name}" not found'
        return (actions.Event(claim, "ProvisioningFailed", why, "Warning"),)
    provisioner = seen.storage_class["provisioner"]
    if provisioner.startswith("kubernetes.io/"):
        why = f"no volume plugin matched name: {provisioner}"
        return (actions.Event(claim, "ProvisioningFailed", why, "Warning"),)
    told = actions.Event(claim, "ExternalProvisioning", _EXTERNAL.format(provisioner=provisioner))
    if volume_matching.annotation(claim, PROVISIONERS[-1]) == provisioner:
        return (told,)
    annotations = dict.fromkeys(PROVISIONERS, provisioner)
    return (actions.patch_of(VOLUME_CLAIMS, claim, {"metadata": {"annotations": annotations}}), told)


def _consumer_event(claim: JsonObject, waiting: tuple[str, ...]) -> actions.Event:
    if not waiting:
        message = "waiting for first consumer to be created before binding"
        return actions.Event(claim, "WaitForFirstConsumer", message)
    what = f"pod {waiting[0]}" if len(waiting) == 1 else f"pods {','.join(waiting)}"
    return actions.Event(claim, "WaitForPodScheduled", f"waiting for {what} to be scheduled")


def _take_named(claim: JsonObject, name: str, seen: Seen) -> actions.Actions:
    """Bind a claim to the volume that it names, once that is there and free."""
    volume = seen.volume(name)
    if volume is None:
        return _set_phase(claim, "Pending")
    if volume["spec"].get("claimRef") is not None and not volume_matching.is_of(volume, claim):
        why = f'volume "{name}" already bound to a different claim.'
        return (*_set_phase(claim, "Pending"), actions.Event(claim, "FailedBinding", why, "Warning"))
    if why := volume_matching.misfit(volume, claim):
        message = f'Cannot bind to requested volume "{name}": {why}'
        return (*_set_phase(claim, "Pending"), actions.Event(claim, "VolumeMismatch", message, "Warning"))
    return _bind(claim, volume)


def reserve(volume: JsonObject, claim: JsonObject) -> actions.Actions:
    """Set a volume aside for a claim, unless it is."""
    reference = volume["spec"].get("claimRef") or {}
    metadata = claim["metadata"]
    if reference.get("uid") == metadata["uid"]:
        return ()
    fields = ("namespace", "name", "uid", "resourceVersion")
    patch: JsonObject = {
        "spec": {
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{key: metadata[key] for key in fields if key in metadata},
            }
        }
    }
    if not reference:
        patch["metadata"] = {"annotations": {volume_matching.BOUND_BY_CONTROLLER: "yes"}}
    return (actions.patch_of(VOLUMES, volume, patch),)


def _bind(claim: JsonObject, volume: JsonObject) -> actions.Actions:
    """The volume first: a claim never names a volume that somebody else may still get."""
    annotations = {volume_matching.BIND_COMPLETED: "yes"}
    if not claim["spec"].get("volumeName"):
        annotations[volume_matching.BOUND_BY_CONTROLLER] = "yes"
    patch = {
        "metadata": {"annotations": annotations},
        "spec": {"volumeName": volume["metadata"]["name"]},
    }
    return (
        *reserve(volume, claim),
        *actions.patch_status(VOLUMES, volume, {**(volume.get("status") or {}), "phase": "Bound"}),
        actions.patch_of(VOLUME_CLAIMS, claim, patch),
        *_report(claim, volume),
    )


def _report(claim: JsonObject, volume: JsonObject) -> actions.Actions:
    status = {
        **(claim.get("status") or {}),
        "phase": "Bound",
        "accessModes": volume["spec"]["accessModes"],
        "capacity": volume["spec"]["capacity"],
    }
    return actions.patch_status(VOLUME_CLAIMS, claim, status)


def _keep(claim: JsonObject, seen: Seen) -> actions.Actions:
    """A claim that was bound before either still is, or has lost its volume for good."""
    name = claim["spec"].get("volumeName")
    if not name:
        why = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
        return _lose(claim, "ClaimLost", why)
    volume = seen.volume(name)
    if volume is None:
        why = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        return _lose(claim, "ClaimLost", why)
    if volume["spec"].get("claimRef") is not None and not volume_matching.is_of(volume, claim):
        why = "Two claims are bound to the same volume, this one is bound incorrectly"
        return _lose(claim, "ClaimMisbound", why)
    if volume_matching.phase(claim) == "Bound":
        return reserve(volume, claim)
    return (*reserve(volume, claim), *_report(claim, volume))


def _lose(claim: JsonObject, reason: str, why: str) -> actions.Actions:
    if volume_matching.phase(claim) == "Lost":
        return ()
    return (*_set_phase(claim, "Lost"), actions.Event(claim, reason, why, "Warning"))


def _set_phase(claim: JsonObject, phase: str) -> actions.Actions:
    return actions.patch_status(VOLUME_CLAIMS, claim, {**(claim.get("status") or {}), "phase": phase})


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    classes = view.caches.of(STORAGE_CLASSES)
    waiting = [
        pod["metadata"]["name"]
        for pod in view.caches.of(PODS).in_namespace(key.namespace)
        if not pod["spec"].get("nodeName") and not pods.has_ended(pod) and key.name in agreed.claim_names(pod)
    ]
    return Seen(
        tuple(view.caches.of(VOLUMES).all()),
        classes.get("", volume_matching.class_of(desired)),
        agreed.default_class(classes.all()),
        tuple(sorted(waiting)),
    )


def _claims_of_volume(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    """The claim a volume is set aside for or that names it; for one that nobody has, all that may want it."""
    volume = change.object
    reference = volume["spec"].get("claimRef")
    if reference is not None:
        yield runner.Key(VOLUME_CLAIMS, reference["namespace"], reference["name"])
    for claim in caches.of(VOLUME_CLAIMS).all():
        named = claim["spec"].get("volumeName")
        if named == volume["metadata"]["name"] or (reference is None and not named):
            yield runner.key_of(VOLUME_CLAIMS, claim)


def _claims_of_class(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    name = change.object["metadata"]["name"]
    for claim in caches.of(VOLUME_CLAIMS).all():
        if not claim["spec"].get("volumeName") and claim["spec"].get("storageClassName") in (None, name):
            yield runner.key_of(VOLUME_CLAIMS, claim)


CONTROLLER: Final = runner.Controller(
    name=NAME,
    watches=(
        runner.own_keys(VOLUME_CLAIMS),
        runner.Watch(VOLUMES, _claims_of_volume),
        runner.Watch(STORAGE_CLASSES, _claims_of_class),
    ),
    reads=(PODS,),
    observe=observe,
    reconcile=reconcile,
    workers=1,  # so that no two claims are given the same volume
)
