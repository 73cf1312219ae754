"""
Rolls a Deployment out: one ReplicaSet per pod template, resized step by step (`rolling`) or all at once (Recreate).

Each pass decides one step from what is reported now; the change of a ReplicaSet brings the next pass. `revisions`
keeps the history, `deployment_status` the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bookmesh.base.kubernetes import DEPLOYMENTS, PODS, REPLICA_SETS, JsonObject, Resource
from bookmesh.kube.controllers import (
    actions,
    deployment_status,
    informers,
    owners,
    owning,
    pods,
    revisions,
    rolling,
    rollout_limits,
    runner,
)

NAME = "deployment-controller"


@dataclass(frozen=True, slots=True)
class Seen:
    """All ReplicaSets and pods of the namespace, by name."""

    now: datetime
    replica_sets: tuple[JsonObject, ...]
    pods: tuple[JsonObject, ...] = ()


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Take the next step and report."""
    reference = owners.reference_to(desired, api_version="apps/v1", kind="Deployment")
    claim = owners.claim(desired, seen.replica_sets, resource=REPLICA_SETS, reference=reference)
    if claim.changes:
        return claim.changes
    history = revisions.history_of(desired, claim.owned)
    steps: actions.Actions = ()
    if not owners.is_being_deleted(desired):
        collision = _collision(desired, history, seen)
        if collision:
            return collision
        steps = _next_steps(desired, history, seen)
    created = next(
        (step.object["metadata"]["name"] for step in steps if isinstance(step, actions.Create)), ""
    )
    report = deployment_status.report(desired, history, created=created, now=seen.now)
    if not steps and deployment_status.is_complete(desired, report.status):
        steps = tuple(actions.delete_of(REPLICA_SETS, each) for each in revisions.expired(desired, history))
    again = () if report.deadline_in_s is None else (actions.Requeue(report.deadline_in_s),)
    return (
        *steps,
        *_revision_annotation(desired, history, created=bool(created)),
        *actions.patch_status(DEPLOYMENTS, desired, report.status),
        *again,
    )


def _next_steps(deployment: JsonObject, history: revisions.History, seen: Seen) -> actions.Actions:
    limits = rollout_limits.limits_of(deployment)
    if rolling.is_rescaled(deployment, history):
        sizes = rolling.sizes_when_rescaled(deployment, history, limits)
        if sizes:
            return _resize(deployment, history, sizes)
    if deployment["spec"].get("paused"):
        return ()
    if (deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "Recreate":
        return _recreate(deployment, history, seen)
    return _roll(deployment, history, limits)


def _roll(
    deployment: JsonObject, history: revisions.History, limits: rollout_limits.Limits
) -> actions.Actions:
    """First the new ReplicaSet as far as the surge goes, then the old ones as far as availability goes."""
    steps = _grow_new(deployment, history, rolling.size_of_new(history, limits))
    if steps:
        return steps
    return _resize(deployment, history, rolling.sizes_of_old(history, limits))


def _recreate(deployment: JsonObject, history: revisions.History, seen: Seen) -> actions.Actions:
    """All old pods have to be gone before the first new one comes."""
    if history.active_old:
        return _resize(deployment, history, {each["metadata"]["name"]: 0 for each in history.active_old})
    old = {each["metadata"]["uid"] for each in history.old}
    for pod in seen.pods:
        reference = owners.controller_reference(pod)
        if reference is not None and reference["uid"] in old and not pods.has_ended(pod):
            return ()
    return _grow_new(deployment, history, rollout_limits.limits_of(deployment).replicas)


def _grow_new(deployment: JsonObject, history: revisions.History, size: int) -> actions.Actions:
    """Create the new ReplicaSet, or bring it to its size and revision."""
    revision = revisions.next_revision(history)
    if history.new is None:
        created = revisions.build(deployment, replicas=size, revision=revision)
        return (actions.Create(REPLICA_SETS, created, event=_scaled(deployment, created, 0, size)),)
    renewed = revisions.renewed(history.new, deployment, revision)
    before = rollout_limits.wanted(history.new)
    if size != before:
        resized = revisions.resized(renewed, deployment, size)
        return (actions.Update(REPLICA_SETS, resized, event=_scaled(deployment, resized, before, size)),)
    return () if renewed is history.new else (actions.Update(REPLICA_SETS, renewed),)


def _resize(deployment: JsonObject, history: revisions.History, sizes: Mapping[str, int]) -> actions.Actions:
    steps: list[actions.Action] = []
    for each in history.all:
        size = sizes.get(each["metadata"]["name"])
        if size is None:
            continue
        before = rollout_limits.wanted(each)
        resized = revisions.resized(each, deployment, size)
        if size != before:
            steps.append(actions.Update(REPLICA_SETS, resized, event=_scaled(deployment, each, before, size)))
        elif resized != each:
            steps.append(actions.Update(REPLICA_SETS, resized))
    return tuple(steps)


def _scaled(deployment: JsonObject, replica_set: JsonObject, before: int, after: int) -> actions.Event | None:
    if before == after:
        return None
    direction = "up" if after > before else "down"
    name = replica_set["metadata"]["name"]
    message = f"Scaled {direction} replica set {name} from {before} to {after}"
    return actions.Event(deployment, "ScalingReplicaSet", message)


def _collision(deployment: JsonObject, history: revisions.History, seen: Seen) -> actions.Actions:
    """When another template or owner has the name of the new ReplicaSet, hash again with a higher count."""
    if history.new is not None:
        return ()
    name, _ = revisions.name_for(deployment)
    if all(each["metadata"]["name"] != name for each in seen.replica_sets):
        return ()
    status = deployment.get("status") or {}
    counted = {**status, "collisionCount": status.get("collisionCount", 0) + 1}
    return actions.patch_status(DEPLOYMENTS, deployment, counted)


def _revision_annotation(
    deployment: JsonObject, history: revisions.History, *, created: bool
) -> tuple[actions.Patch, ...]:
    """Show the revision of the new ReplicaSet on the Deployment, where `kubectl rollout` looks."""
    if history.new is None and not created:
        return ()
    revision = revisions.next_revision(history)
    if history.new is not None:
        revision = max(revision, revisions.revision_of(history.new))
    text = str(revision)
    if (deployment["metadata"].get("annotations") or {}).get(revisions.REVISION) == text:
        return ()
    patch = {"metadata": {"annotations": {revisions.REVISION: text}}}
    return (actions.patch_of(DEPLOYMENTS, deployment, patch),)


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    return Seen(
        view.now,
        view.caches.of(REPLICA_SETS).in_namespace(key.namespace),
        view.caches.of(PODS).in_namespace(key.namespace),
    )


def _owners_of_replica_set(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    return owning.keys_of_owners(change, caches, resource=DEPLOYMENTS, kind="Deployment")


def _waiting_for_pod(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    """Wake a Deployment that recreates when a pod of one of its ReplicaSets is gone."""
    if change.type != "DELETED" and not pods.has_ended(change.object):
        return ()
    reference = owners.controller_reference(change.object)
    if reference is None or reference["kind"] != "ReplicaSet":
        return ()
    namespace = change.object["metadata"]["namespace"]
    replica_set = caches.of(REPLICA_SETS).get(namespace, reference["name"])
    upper = owners.controller_reference(replica_set) if replica_set is not None else None
    if upper is None or upper["kind"] != "Deployment":
        return ()
    return (runner.Key(DEPLOYMENTS, namespace, upper["name"]),)


CONTROLLER = runner.Controller(
    name=NAME,
    watches=(
        runner.own_keys(DEPLOYMENTS),
        runner.Watch(REPLICA_SETS, _owners_of_replica_set),
        runner.Watch(PODS, _waiting_for_pod),
    ),
    observe=observe,
    reconcile=reconcile,
)
