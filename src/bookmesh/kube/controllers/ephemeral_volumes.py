"""Makes the claims that stand behind `ephemeral` volumes; they belong to their pod and go with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bookmesh.base import volumes as agreed
from bookmesh.base.kubernetes import PODS, VOLUME_CLAIMS, JsonObject, Resource
from bookmesh.kube.controllers import actions, informers, owners, pods, runner

NAME: Final = "ephemeral_volume"


@dataclass(frozen=True, slots=True)
class Seen:
    """Names of the claims of the pod's namespace."""

    claims: frozenset[str] = frozenset()


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Make the claims of one pod that are not there; one that is somebody else's is the scheduler's to tell."""
    if not pods.is_active(desired):
        return ()
    return tuple(
        actions.Create(VOLUME_CLAIMS, build_claim(desired, name, volume))
        for name, volume in agreed.claim_names(desired).items()
        if volume.get("ephemeral") and name not in seen.claims
    )


def build_claim(pod: JsonObject, name: str, volume: JsonObject) -> JsonObject:
    """Build the claim of a volume from its template."""
    template = volume["ephemeral"]["volumeClaimTemplate"]
    reference = owners.reference_to(pod, api_version="v1", kind="Pod")
    fields = template.get("metadata") or {}
    kept = {key: fields[key] for key in ("labels", "annotations") if fields.get(key)}
    place = {"name": name, "namespace": pod["metadata"]["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {**kept, **place, "ownerReferences": [reference]},
        "spec": template["spec"],
    }


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    if not any(volume.get("ephemeral") for volume in desired["spec"].get("volumes") or ()):
        return Seen()
    claims = view.caches.of(VOLUME_CLAIMS).in_namespace(key.namespace)
    return Seen(frozenset(each["metadata"]["name"] for each in claims))


def _pods_of_gone_claim(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    """A pod may have the name of one that is gone, and wait for what that one left to go."""
    reference = owners.controller_reference(change.object)
    if change.type != "DELETED" or reference is None or reference["kind"] != "Pod":
        return ()
    return (runner.Key(PODS, change.object["metadata"]["namespace"], reference["name"]),)


CONTROLLER: Final = runner.Controller(
    name=NAME,
    watches=(runner.own_keys(PODS), runner.Watch(VOLUME_CLAIMS, _pods_of_gone_claim)),
    observe=observe,
    reconcile=reconcile,
)
