"""Lets a claim that is being deleted go when no pod that has a node uses it any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bookmesh.base import volumes as agreed
from bookmesh.base.kubernetes import PODS, VOLUME_CLAIMS, JsonObject, Resource
from bookmesh.kube.controllers import actions, informers, owners, runner

NAME: Final = "pvc-protection-controller"


@dataclass(frozen=True, slots=True)
class Seen:
    """The pods of the claim's namespace."""

    pods: tuple[JsonObject, ...] = ()


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Take the finalizer off, or leave it on."""
    finalizers = desired["metadata"].get("finalizers") or []
    if not owners.is_being_deleted(desired) or agreed.CLAIM_FINALIZER not in finalizers:
        return ()
    name = desired["metadata"]["name"]
    if any(pod["spec"].get("nodeName") and name in agreed.claim_names(pod) for pod in seen.pods):
        return ()
    rest = [each for each in finalizers if each != agreed.CLAIM_FINALIZER]
    return (actions.patch_of(VOLUME_CLAIMS, desired, {"metadata": {"finalizers": rest}}),)


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    return Seen(view.caches.of(PODS).in_namespace(key.namespace))


def _claims_of_pod(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    if change.type != "DELETED":
        return ()
    namespace = change.object["metadata"]["namespace"]
    return [runner.Key(VOLUME_CLAIMS, namespace, name) for name in agreed.claim_names(change.object)]


CONTROLLER: Final = runner.Controller(
    name=NAME,
    watches=(runner.own_keys(VOLUME_CLAIMS), runner.Watch(PODS, _claims_of_pod)),
    observe=observe,
    reconcile=reconcile,
)
