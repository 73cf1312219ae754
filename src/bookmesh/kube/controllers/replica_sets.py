"""
Keeps as many pods of a template as a ReplicaSet asks for.

Status is written after the deletions of a pass and before its creations, and counts neither kind: it never promises
more pods than there are. Together with `observedGeneration` that is what a Deployment's limits rest on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bookmesh.base.kubernetes import PODS, REPLICA_SETS, JsonObject, Resource
from bookmesh.kube.controllers import actions, conditions, informers, owners, owning, pods, runner, selectors

NAME = "replicaset-controller"
BURST = 500
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


@dataclass(frozen=True, slots=True)
class Seen:
    """All pods of the namespace, by name; `failure`: why the last pass could not create a pod, or ""."""

    now: datetime
    pods: tuple[JsonObject, ...]
    failure: str = ""


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Create or delete pods, then report."""
    reference = owners.reference_to(desired, api_version="apps/v1", kind="ReplicaSet")
    candidates = [pod for pod in seen.pods if not pods.has_ended(pod)]
    claim = owners.claim(desired, candidates, resource=PODS, reference=reference)
    if claim.changes:
        return claim.changes
    active = [pod for pod in claim.owned if pods.is_active(pod)]
    if owners.is_being_deleted(desired):
        return actions.patch_status(REPLICA_SETS, desired, status_of(desired, active, seen))
    difference = len(active) - desired["spec"].get("replicas", 1)
    victims = sorted(active, key=lambda pod: _dispensability(pod, seen.now))[: max(0, difference)]
    gone = {pod["metadata"]["uid"] for pod in victims}
    kept = [pod for pod in active if pod["metadata"]["uid"] not in gone]
    report = actions.patch_status(REPLICA_SETS, desired, status_of(desired, kept, seen))
    births = tuple(_birth(desired, reference) for _ in range(min(-difference, BURST)))
    deaths = tuple(
        actions.delete_of(PODS, pod, event=actions.Event(desired, "SuccessfulDelete", "Deleted pod: {name}"))
        for pod in victims
    )
    complaint = (_complaint(desired, seen.failure),) if births and seen.failure else ()
    return (*complaint, *deaths, *report, *births, *_wake_up(desired, kept, seen.now))


def pod_from(replica_set: JsonObject, reference: JsonObject) -> JsonObject:
    """Build a pod from the template; its name is picked when it is created."""
    template = replica_set["spec"]["template"]
    metadata = {
        key: value
        for key, value in (template.get("metadata") or {}).items()
        if key in ("labels", "annotations", "finalizers")
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{replica_set['metadata']['name']}-",
            "namespace": replica_set["metadata"]["namespace"],
            **metadata,
            "ownerReferences": [reference],
        },
        "spec": template["spec"],
    }


def status_of(replica_set: JsonObject, active: list[JsonObject], seen: Seen) -> JsonObject:
    """Count the pods that stay."""
    template_labels = (replica_set["spec"]["template"].get("metadata") or {}).get("labels") or {}
    waits = [_available_in_s(replica_set, pod, seen.now) for pod in active]
    current = replica_set.get("status") or {}
    status: JsonObject = {
        "replicas": len(active),
        "fullyLabeledReplicas": sum(
            selectors.has_labels(template_labels, selectors.labels_of(pod)) for pod in active
        ),
        "readyReplicas": sum(pods.is_ready(pod) for pod in active),
        "availableReplicas": sum(wait == 0 for wait in waits),
        "observedGeneration": replica_set["metadata"].get("generation", 0),
    }
    status = {key: value for key, value in status.items() if value or key == "replicas"}
    listed = _failure_condition(current.get("conditions"), seen)
    return {**status, "conditions": listed} if listed else status


def _birth(replica_set: JsonObject, reference: JsonObject) -> actions.Create:
    event = actions.Event(replica_set, "SuccessfulCreate", "Created pod: {name}")
    return actions.Create(PODS, pod_from(replica_set, reference), event=event)


def _complaint(replica_set: JsonObject, failure: str) -> actions.Event:
    return actions.Event(replica_set, "FailedCreate", f"Error creating: {failure}", "Warning")


def _failure_condition(current: list[JsonObject] | None, seen: Seen) -> list[JsonObject]:
    if not seen.failure:
        return conditions.drop(current, "ReplicaFailure")
    if conditions.is_true(current, "ReplicaFailure"):
        # Each try is refused under another name; to write that would be a change, and a reason to try again at once.
        return list(current or ())
    entry = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": seen.failure}
    return conditions.put(current, entry, now=seen.now)


def _dispensability(pod: JsonObject, now: datetime) -> tuple[object, ...]:
    """Order pods by how little their loss costs: unplaced, pending, not ready, cheap, newly ready, restarting, new."""
    status = pod.get("status") or {}
    annotations = pod["metadata"].get("annotations") or {}
    since = pods.ready_since(pod)
    restarts = max((each.get("restartCount", 0) for each in status.get("containerStatuses") or ()), default=0)
    created = conditions.parse_time(pod["metadata"]["creationTimestamp"])
    return (
        bool(pod["spec"].get("nodeName")),
        {"Pending": 0, "Unknown": 1}.get(pods.phase(pod), 2),
        pods.is_ready(pod),
        _cost(annotations.get(DELETION_COST, "0")),
        (now - since).total_seconds() if since is not None else 0.0,
        -restarts,
        (now - created).total_seconds(),
        pod["metadata"]["name"],
    )


def _cost(text: str) -> int:
    return int(text) if text.removeprefix("-").isdecimal() else 0


def _available_in_s(replica_set: JsonObject, pod: JsonObject, now: datetime) -> float | None:
    return pods.available_in_s(pod, min_ready_s=replica_set["spec"].get("minReadySeconds", 0), now=now)


def _wake_up(replica_set: JsonObject, kept: list[JsonObject], now: datetime) -> tuple[actions.Requeue, ...]:
    """Come back when the next ready pod becomes available: nothing else will tell."""
    waits = [wait for pod in kept if (wait := _available_in_s(replica_set, pod, now))]
    return (actions.Requeue(min(waits)),) if waits else ()


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    return Seen(view.now, view.caches.of(PODS).in_namespace(key.namespace), view.failure)


def _owners_of_pod(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    return owning.keys_of_owners(change, caches, resource=REPLICA_SETS, kind="ReplicaSet")


CONTROLLER = runner.Controller(
    name=NAME,
    watches=(runner.own_keys(REPLICA_SETS), runner.Watch(PODS, _owners_of_pod)),
    observe=observe,
    reconcile=reconcile,
)
