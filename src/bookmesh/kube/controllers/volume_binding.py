"""
What volumes have to say about where a pod may run: the part of the scheduler that knows claims. Pure.

A claim that waits for its first consumer gets, when a node is chosen, a free volume that can be used there, or the
name of the node in an annotation, by which its provisioner knows that a volume is wanted. The pod goes to the node when
all its claims are bound.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bookmesh.base import volumes as agreed
from bookmesh.base.kubernetes import VOLUME_CLAIMS, JsonObject
from bookmesh.kube.controllers import actions, fitting, owners, pods, volume_claims, volume_matching

IN_USE: Final = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
"""What keeps a pod from a node for as long as another one is there."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The claims that the pod uses, all volumes, and the classes; claims and classes by name."""

    claims: Mapping[str, JsonObject] = field(default_factory=dict)
    volumes: Sequence[JsonObject] = ()
    classes: Mapping[str, JsonObject] = field(default_factory=dict)

    def class_of(self, claim: JsonObject) -> JsonObject | None:
        return self.classes.get(volume_matching.class_of(claim))


NOTHING: Final = Seen()
_AGAIN_S: Final = 60.0
"""A change of a claim wakes the scheduler long before."""


def obstacle(pod: JsonObject, seen: Seen) -> str:
    """Say what keeps a pod from every node, in the scheduler's words; "" when nothing does."""
    for name, volume in agreed.claim_names(pod).items():
        claim = seen.claims.get(name)
        if claim is None:
            if volume.get("ephemeral"):
                why = "waiting for ephemeral volume controller to create the persistentvolumeclaim"
                return f'{why} "{name}"'
            return f'persistentvolumeclaim "{name}" not found'
        if volume.get("ephemeral") and not owners.is_controlled_by(claim, pod):
            return f'PVC "{name}" was not created for pod "{pod["metadata"]["name"]}" (pod is not owner)'
        if owners.is_being_deleted(claim):
            return f'persistentvolumeclaim "{name}" is being deleted'
        if volume_matching.phase(claim) == "Lost":
            lost = claim["spec"].get("volumeName", "")
            return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{lost}"'
    if any(_must_be_bound(claim, seen) for claim in _unbound(seen)):
        return "pod has unbound immediate PersistentVolumeClaims"
    return ""


def misfit(pod: JsonObject, node: JsonObject, placed: Iterable[JsonObject], seen: Seen) -> str:
    """Say why a pod cannot have its volumes on a node, to be read after a count; "" when it can."""
    for name, claim in seen.claims.items():
        if "ReadWriteOncePod" in (claim["spec"].get("accessModes") or ()) and _is_used(name, pod, placed):
            return IN_USE
        if volume_matching.is_completely_bound(claim):
            volume = _volume(claim["spec"]["volumeName"], seen)
            if volume is not None and not _is_usable(volume, node):
                return "node(s) didn't match PersistentVolume's node affinity"
        elif not _has_provisioner(claim, seen) and _match(claim, node, seen) is None:
            return "node(s) didn't find available persistent volumes to bind"
    return ""


def steps(node: JsonObject, seen: Seen) -> actions.Actions:
    """
    See to it that every claim gets a volume on the node that was chosen.

    Returns:
        What is to be done for those that have none; a look at the pod later when that was done; nothing when all are
        bound.
    """
    waiting = _unbound(seen)
    if not waiting:
        return ()
    found: list[actions.Action] = []
    taken: set[str] = set()
    for claim in waiting:
        if volume_matching.annotation(claim, volume_matching.SELECTED_NODE):
            continue
        volume = _match(claim, node, seen, taken)
        if volume is not None:
            taken.add(volume["metadata"]["name"])
            found += volume_claims.reserve(volume, claim)
        else:
            annotations = {volume_matching.SELECTED_NODE: node["metadata"]["name"]}
            found.append(actions.patch_of(VOLUME_CLAIMS, claim, {"metadata": {"annotations": annotations}}))
    return (*found, actions.Requeue(_AGAIN_S))


def _unbound(seen: Seen) -> list[JsonObject]:
    return [claim for claim in seen.claims.values() if not volume_matching.is_completely_bound(claim)]


def _must_be_bound(claim: JsonObject, seen: Seen) -> bool:
    mode = (seen.class_of(claim) or {}).get("volumeBindingMode")
    return mode != "WaitForFirstConsumer" or bool(claim["spec"].get("volumeName"))


def _match(claim: JsonObject, node: JsonObject, seen: Seen, taken: Collection[str] = ()) -> JsonObject | None:
    usable = [
        volume
        for volume in seen.volumes
        if _is_usable(volume, node) and volume["metadata"]["name"] not in taken
    ]
    return volume_matching.best_match(claim, usable)


def _has_provisioner(claim: JsonObject, seen: Seen) -> bool:
    storage_class = seen.class_of(claim)
    return storage_class is not None and storage_class["provisioner"] != agreed.NO_PROVISIONER


def _is_usable(volume: JsonObject, node: JsonObject) -> bool:
    return fitting.is_in(node, (volume["spec"].get("nodeAffinity") or {}).get("required"))


def _is_used(name: str, pod: JsonObject, placed: Iterable[JsonObject]) -> bool:
    metadata = pod["metadata"]
    return any(
        other["metadata"]["namespace"] == metadata["namespace"]
        and other["metadata"]["uid"] != metadata["uid"]
        and not pods.has_ended(other)
        and name in agreed.claim_names(other)
        for other in placed
    )


def _volume(name: str, seen: Seen) -> JsonObject | None:
    return next((each for each in seen.volumes if each["metadata"]["name"] == name), None)
