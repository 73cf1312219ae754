"""
Keeps one pod of a template on every node that it fits, and replaces those of an older template step by step.

A rolling update takes as many pods away at a time as `maxUnavailable` says; with `maxSurge` the new pod comes before
the old one goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bookmesh.base.kubernetes import NODES, PODS, JsonObject, Resource
from bookmesh.kube.controllers import (
    actions,
    controller_revisions,
    fitting,
    informers,
    owners,
    owning,
    pods,
    rollout_limits,
    runner,
)
from bookmesh.kube.controllers.resources import CONTROLLER_REVISIONS, DAEMON_SETS

NAME: Final = "daemonset-controller"


@dataclass(frozen=True, slots=True)
class Seen:
    """All nodes; pods and revisions of the namespace."""

    now: datetime
    nodes: tuple[JsonObject, ...]
    pods: tuple[JsonObject, ...]
    revisions: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """One node that shall have a pod, and the pods it has: of the present template, and of older ones."""

    node: str
    new: tuple[JsonObject, ...]
    old: tuple[JsonObject, ...]


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Take the next step and report."""
    reference = owners.reference_to(desired, api_version="apps/v1", kind="DaemonSet")
    claim = owners.claim(desired, seen.pods, resource=PODS, reference=reference)
    if claim.changes:
        return claim.changes
    known = controller_revisions.owned_by(desired, seen.revisions)
    update, renewal = controller_revisions.renew(desired, known, reference)
    places = _places(desired, seen, claim.owned, update)
    report = actions.patch_status(DAEMON_SETS, desired, _status(desired, seen, places, claim.owned))
    if owners.is_being_deleted(desired):
        return report
    nodes = {place.node for place in places}
    strays = [
        pod
        for pod in claim.owned
        if pod["spec"].get("nodeName") not in nodes and not pods.is_terminating(pod)
    ]
    steps = [_stop(desired, pod) for pod in strays]
    used = {
        update,
        *(pod["metadata"]["labels"].get(controller_revisions.HASH_LABEL, "") for pod in claim.owned),
    }
    names = {each["metadata"]["name"] for each in known}
    kept = {name for name in names if name in used or controller_revisions.hash_of(name) in used}
    return (
        *renewal,
        *report,
        *steps,
        *_next_steps(desired, seen, places, reference, update),
        *controller_revisions.expired(desired, known, kept),
    )


def _places(daemon_set: JsonObject, seen: Seen, owned: Sequence[JsonObject], update: str) -> list[_Place]:
    candidate = {"metadata": {"name": ""}, "spec": daemon_set["spec"]["template"]["spec"]}
    places = []
    for node in seen.nodes:
        if fitting.misfit(candidate, node):
            continue
        name = node["metadata"]["name"]
        here = [pod for pod in owned if pod["spec"].get("nodeName") == name]
        new = tuple(pod for pod in here if controller_revisions.is_of(pod, update))
        places.append(_Place(name, new, tuple(pod for pod in here if pod not in new)))
    return places


def _next_steps(
    daemon_set: JsonObject, seen: Seen, places: Sequence[_Place], reference: JsonObject, update: str
) -> list[actions.Action]:
    steps: list[actions.Action] = []
    most_gone, most_extra = _limits(daemon_set, len(places))
    gone = sum(
        not any(_is_available(daemon_set, pod, seen) for pod in (*place.new, *place.old)) for place in places
    )
    extra = sum(bool(place.new) and bool(place.old) for place in places)
    for place in places:
        ended = [
            pod for pod in (*place.new, *place.old) if pods.has_ended(pod) and not pods.is_terminating(pod)
        ]
        steps += [_stop(daemon_set, pod) for pod in ended]
        if not place.new and not place.old:
            steps.append(_start(daemon_set, place.node, reference, update))
            continue
        old = [pod for pod in place.old if not pods.is_terminating(pod) and pod not in ended]
        if not old or most_gone is None:
            continue
        if most_extra:
            if not place.new and extra < most_extra:
                extra += 1
                steps.append(_start(daemon_set, place.node, reference, update))
            elif any(_is_available(daemon_set, pod, seen) for pod in place.new):
                steps += [_stop(daemon_set, pod) for pod in old]
        elif not any(_is_available(daemon_set, pod, seen) for pod in old):
            steps += [_stop(daemon_set, pod) for pod in old]
        elif gone < most_gone:
            gone += 1
            steps += [_stop(daemon_set, pod) for pod in old]
    return steps


def _limits(daemon_set: JsonObject, nodes: int) -> tuple[int | None, int]:
    """How many nodes may be without a pod, and how many may have two; None when pods are only replaced by hand."""
    strategy = daemon_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return None, 0
    rolling = strategy.get("rollingUpdate") or {}
    gone = rollout_limits.share(rolling.get("maxUnavailable", 1), nodes, rounds_up=True)
    return gone, rollout_limits.share(rolling.get("maxSurge", 0), nodes, rounds_up=True)


def _start(daemon_set: JsonObject, node: str, reference: JsonObject, update: str) -> actions.Create:
    template = daemon_set["spec"]["template"]
    fields = template.get("metadata") or {}
    labels = {
        **(fields.get("labels") or {}),
        controller_revisions.HASH_LABEL: controller_revisions.hash_of(update),
    }
    metadata: JsonObject = {
        "generateName": f"{daemon_set['metadata']['name']}-",
        "namespace": daemon_set["metadata"]["namespace"],
        "labels": labels,
        "ownerReferences": [reference],
    }
    for key in ("annotations", "finalizers"):
        if fields.get(key):
            metadata[key] = fields[key]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {**template["spec"], "nodeName": node},
    }
    return actions.Create(
        PODS, pod, event=actions.Event(daemon_set, "SuccessfulCreate", "Created pod: {name}")
    )


def _stop(daemon_set: JsonObject, pod: JsonObject) -> actions.Action:
    event = actions.Event(daemon_set, "SuccessfulDelete", "Deleted pod: {name}")
    return actions.delete_of(PODS, pod, event=event)


def _is_available(daemon_set: JsonObject, pod: JsonObject, seen: Seen) -> bool:
    least_s = daemon_set["spec"].get("minReadySeconds", 0)
    return pods.is_active(pod) and pods.available_in_s(pod, min_ready_s=least_s, now=seen.now) == 0


def _status(
    daemon_set: JsonObject, seen: Seen, places: Sequence[_Place], owned: Sequence[JsonObject]
) -> JsonObject:
    here = [[pod for pod in (*place.new, *place.old) if pods.is_active(pod)] for place in places]
    available = sum(any(_is_available(daemon_set, pod, seen) for pod in found) for found in here)
    nodes = {place.node for place in places}
    status: JsonObject = {
        "desiredNumberScheduled": len(places),
        "currentNumberScheduled": sum(bool(found) for found in here),
        "numberReady": sum(any(pods.is_ready(pod) for pod in found) for found in here),
        "numberMisscheduled": sum(pod["spec"].get("nodeName") not in nodes for pod in owned),
        "updatedNumberScheduled": sum(any(pods.is_active(pod) for pod in place.new) for place in places),
        "numberAvailable": available,
        "numberUnavailable": len(places) - available,
        "observedGeneration": daemon_set["metadata"].get("generation", 0),
    }
    kept = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "numberMisscheduled")
    return {key: value for key, value in status.items() if value or key in kept}


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    return Seen(
        view.now,
        tuple(sorted(view.caches.of(NODES).all(), key=lambda each: str(each["metadata"]["name"]))),
        view.caches.of(PODS).in_namespace(key.namespace),
        view.caches.of(CONTROLLER_REVISIONS).in_namespace(key.namespace),
    )


def _owners_of(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    return owning.keys_of_owners(change, caches, resource=DAEMON_SETS, kind="DaemonSet")


def _everyone(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    return [runner.key_of(DAEMON_SETS, each) for each in caches.of(DAEMON_SETS).all()]


CONTROLLER = runner.Controller(
    name=NAME,
    watches=(
        runner.own_keys(DAEMON_SETS),
        runner.Watch(PODS, _owners_of),
        runner.Watch(CONTROLLER_REVISIONS, _owners_of),
        runner.Watch(NODES, _everyone),
    ),
    observe=observe,
    reconcile=reconcile,
)
