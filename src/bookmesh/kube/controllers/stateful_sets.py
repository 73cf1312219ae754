"""
Keeps numbered pods with a stable name: the next one starts when the one before is ready, the last one goes first.

With `podManagementPolicy: Parallel` pods do not wait for each other. A rolling update replaces pods from the highest
number down to the partition, one at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bookmesh.base.kubernetes import PODS, VOLUME_CLAIMS, JsonObject, Resource
from bookmesh.kube.controllers import (
    actions,
    claim_retention,
    controller_revisions,
    informers,
    owners,
    owning,
    pods,
    runner,
)
from bookmesh.kube.controllers.resources import CONTROLLER_REVISIONS, STATEFUL_SETS

NAME: Final = "statefulset-controller"
_ORDINAL: Final = re.compile(r"(.+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Seen:
    """Pods, revisions and volume claims of the namespace."""

    now: datetime
    pods: tuple[JsonObject, ...]
    revisions: tuple[JsonObject, ...] = ()
    claims: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True)
class _State:
    """One pass: pods by number, and the revisions that count."""

    stateful_set: JsonObject
    seen: Seen
    by_ordinal: dict[int, JsonObject]
    known: Sequence[JsonObject]
    current: str
    update: str

    @property
    def wanted(self) -> range:
        spec = self.stateful_set["spec"]
        start = (spec.get("ordinals") or {}).get("start", 0)
        return range(start, start + spec.get("replicas", 1))

    @property
    def is_ordered(self) -> bool:
        return bool(self.stateful_set["spec"].get("podManagementPolicy") != "Parallel")

    @property
    def partition(self) -> int:
        strategy = self.stateful_set["spec"].get("updateStrategy") or {}
        partition: int = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        return partition

    def is_available(self, pod: JsonObject) -> bool:
        least_s = self.stateful_set["spec"].get("minReadySeconds", 0)
        return pods.is_active(pod) and pods.available_in_s(pod, min_ready_s=least_s, now=self.seen.now) == 0


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Take the next step and report."""
    reference = owners.reference_to(desired, api_version="apps/v1", kind="StatefulSet")
    named = [pod for pod in seen.pods if ordinal_of(desired, pod) is not None]
    claim = owners.claim(desired, named, resource=PODS, reference=reference)
    if claim.changes:
        return claim.changes
    known = controller_revisions.owned_by(desired, seen.revisions)
    update, renewal = controller_revisions.renew(desired, known, reference)
    current = (desired.get("status") or {}).get("currentRevision") or update
    by_ordinal = {number: pod for pod in claim.owned if (number := ordinal_of(desired, pod)) is not None}
    state = _State(desired, seen, by_ordinal, known, current, update)
    report = _status(state)
    steps: actions.Actions = ()
    if not owners.is_being_deleted(desired):
        steps = (*_retain_claims(state), *_next_steps(state, reference))
    old = controller_revisions.expired(desired, known, {report["currentRevision"], update, *_used(state)})
    return (*renewal, *actions.patch_status(STATEFUL_SETS, desired, report), *steps, *old, *_wake_up(state))


def ordinal_of(stateful_set: JsonObject, pod: JsonObject) -> int | None:
    """The number of a pod; None when its name is none of the StatefulSet's."""
    match = _ORDINAL.fullmatch(pod["metadata"]["name"])
    return int(match[2]) if match and match[1] == stateful_set["metadata"]["name"] else None


def _next_steps(state: _State, reference: JsonObject) -> actions.Actions:
    steps: list[actions.Action] = []
    for ordinal in state.wanted:
        step = _keep(state, ordinal, reference)
        steps += step
        pod = state.by_ordinal.get(ordinal)
        if state.is_ordered and (step or pod is None or not state.is_available(pod)):
            return tuple(steps)
    surplus = sorted((number for number in state.by_ordinal if number not in state.wanted), reverse=True)
    for ordinal in surplus:
        pod = state.by_ordinal[ordinal]
        if not pods.is_terminating(pod):
            steps.append(_stop(state, pod))
        if state.is_ordered:
            return tuple(steps)
    return tuple(steps) if steps or surplus else _replace(state)


def _keep(state: _State, ordinal: int, reference: JsonObject) -> list[actions.Action]:
    """Create the pod of a number when it is missing; clear the way when it has ended."""
    pod = state.by_ordinal.get(ordinal)
    if pod is None:
        event = actions.Event(
            state.stateful_set, "SuccessfulCreate", "create Pod {name} in StatefulSet successful"
        )
        new = pod_from(state, ordinal, reference)
        return [*_claims(state, ordinal), actions.Create(PODS, new, event=event)]
    if pods.has_ended(pod) and not pods.is_terminating(pod):
        return [_stop(state, pod)]
    return []


def _stop(state: _State, pod: JsonObject) -> actions.Delete:
    event = actions.Event(
        state.stateful_set, "SuccessfulDelete", "delete Pod {name} in StatefulSet successful"
    )
    return actions.delete_of(PODS, pod, event=event)


def _replace(state: _State) -> actions.Actions:
    """Take the highest pod of another revision away when all above it are well."""
    strategy = state.stateful_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return ()
    for ordinal in sorted(state.by_ordinal, reverse=True):
        if ordinal < state.partition:
            return ()
        pod = state.by_ordinal[ordinal]
        if pods.is_terminating(pod):
            return ()
        if not controller_revisions.is_of(pod, state.update):
            return (_stop(state, pod),)
        if not state.is_available(pod):
            return ()
    return ()


def pod_from(state: _State, ordinal: int, reference: JsonObject) -> JsonObject:
    """Build the pod of a number, from the present template or, below the partition, from the one before."""
    name = f"{state.stateful_set['metadata']['name']}-{ordinal}"
    revision = state.current if ordinal < state.partition else state.update
    template = controller_revisions.template_named(state.known, revision)
    if template is None:
        revision, template = state.update, state.stateful_set["spec"]["template"]
    fields = template.get("metadata") or {}
    labels = {
        **(fields.get("labels") or {}),
        controller_revisions.HASH_LABEL: revision,
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(ordinal),
    }
    metadata: JsonObject = {
        "name": name,
        "namespace": state.stateful_set["metadata"]["namespace"],
        "labels": labels,
        "ownerReferences": [reference],
    }
    for key in ("annotations", "finalizers"):
        if fields.get(key):
            metadata[key] = fields[key]
    spec = {**template["spec"], "hostname": name}
    if state.stateful_set["spec"].get("serviceName"):
        spec["subdomain"] = state.stateful_set["spec"]["serviceName"]
    claims = _claim_names(state, ordinal)
    if claims:
        kept = [each for each in spec.get("volumes") or [] if each["name"] not in claims]
        own = [
            {"name": volume, "persistentVolumeClaim": {"claimName": claim}}
            for volume, claim in claims.items()
        ]
        spec["volumes"] = [*kept, *own]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _claim_names(state: _State, ordinal: int) -> dict[str, str]:
    name = state.stateful_set["metadata"]["name"]
    templates = state.stateful_set["spec"].get("volumeClaimTemplates") or []
    return {each["metadata"]["name"]: f"{each['metadata']['name']}-{name}-{ordinal}" for each in templates}


def _retain_claims(state: _State) -> actions.Actions:
    known = {each["metadata"]["name"]: each for each in state.seen.claims}
    ordinals = {*state.wanted, *state.by_ordinal}
    found = {
        ordinal: [known[name] for name in _claim_names(state, ordinal).values() if name in known]
        for ordinal in ordinals
    }
    return claim_retention.changes(state.stateful_set, found, pods=state.by_ordinal, wanted=state.wanted)


def _claims(state: _State, ordinal: int) -> list[actions.Action]:
    """Create the volume claims of a pod that are not there; they outlive it."""
    known = {each["metadata"]["name"] for each in state.seen.claims}
    names = _claim_names(state, ordinal)
    match_labels = (state.stateful_set["spec"].get("selector") or {}).get("matchLabels") or {}
    found: list[actions.Action] = []
    for template in state.stateful_set["spec"].get("volumeClaimTemplates") or []:
        fields, name = template["metadata"], names[template["metadata"]["name"]]
        if name in known:
            continue
        metadata = {
            **fields,
            "name": name,
            "namespace": state.stateful_set["metadata"]["namespace"],
            "labels": {**(fields.get("labels") or {}), **match_labels},
        }
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata,
            "spec": template["spec"],
        }
        found.append(actions.Create(VOLUME_CLAIMS, claim))
    return found


def _used(state: _State) -> set[str]:
    return {
        each["metadata"]["name"]
        for each in state.known
        for pod in state.by_ordinal.values()
        if controller_revisions.is_of(pod, each["metadata"]["name"])
    }


def _status(state: _State) -> JsonObject:
    own = [pod for pod in state.by_ordinal.values() if not pods.is_terminating(pod)]
    updated = sum(controller_revisions.is_of(pod, state.update) for pod in own)
    ready = sum(pods.is_ready(pod) for pod in own)
    current, wanted = state.current, len(state.wanted)
    is_rolling = (state.stateful_set["spec"].get("updateStrategy") or {}).get("type") != "OnDelete"
    if is_rolling and updated == ready == len(state.by_ordinal) == wanted:
        current = state.update
    status: JsonObject = {
        "replicas": len(state.by_ordinal),
        "readyReplicas": ready,
        "availableReplicas": sum(state.is_available(pod) for pod in own),
        "updatedReplicas": updated,
        "currentReplicas": sum(controller_revisions.is_of(pod, current) for pod in own),
        "currentRevision": current,
        "updateRevision": state.update,
        "observedGeneration": state.stateful_set["metadata"].get("generation", 0),
        "collisionCount": 0,
    }
    kept = ("replicas", "availableReplicas", "collisionCount")
    return {key: value for key, value in status.items() if value or key in kept}


def _wake_up(state: _State) -> tuple[actions.Requeue, ...]:
    least_s = state.stateful_set["spec"].get("minReadySeconds", 0)
    waits = [
        wait
        for pod in state.by_ordinal.values()
        if (wait := pods.available_in_s(pod, min_ready_s=least_s, now=state.seen.now))
    ]
    return (actions.Requeue(min(waits)),) if waits else ()


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    return Seen(
        view.now,
        view.caches.of(PODS).in_namespace(key.namespace),
        view.caches.of(CONTROLLER_REVISIONS).in_namespace(key.namespace),
        view.caches.of(VOLUME_CLAIMS).in_namespace(key.namespace),
    )


def _owners_of(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    return owning.keys_of_owners(change, caches, resource=STATEFUL_SETS, kind="StatefulSet")


CONTROLLER = runner.Controller(
    name=NAME,
    watches=(
        runner.own_keys(STATEFUL_SETS),
        runner.Watch(PODS, _owners_of),
        runner.Watch(CONTROLLER_REVISIONS, _owners_of),
    ),
    observe=observe,
    reconcile=reconcile,
    reads=(VOLUME_CLAIMS,),
)
