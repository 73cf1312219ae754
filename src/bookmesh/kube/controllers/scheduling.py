"""
Binds pods to nodes: the first node by name that is ready and fits.

A pod that fits nowhere stays Pending with the reason in its condition PodScheduled and an Event, in the words of the
default scheduler; it is tried again whenever a node changes, or a pod goes. On a node of a given size requests are
added up, and pods of lower priority have to go for one of higher priority.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bookmesh.base import volumes as agreed
from bookmesh.base.kubernetes import (
    NAMESPACES,
    NODES,
    PODS,
    STORAGE_CLASSES,
    VOLUME_CLAIMS,
    VOLUMES,
    JsonObject,
    Resource,
)
from bookmesh.kube.controllers import (
    actions,
    conditions,
    fitting,
    informers,
    pod_affinity,
    pods,
    preemption,
    runner,
    selectors,
    volume_binding,
)

NAME = "default-scheduler"


@dataclass(frozen=True, slots=True)
class Seen:
    """The nodes pods may be placed on, by name; pods that are on one, or named on it; labels of namespaces."""

    now: datetime
    nodes: tuple[JsonObject, ...]
    pods: tuple[JsonObject, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    volumes: volume_binding.Seen = volume_binding.NOTHING


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Bind one pod, or say why not."""
    if not needs_node(desired):
        return ()
    if desired["spec"].get("schedulingGates"):
        return _set_condition(
            desired, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates", seen
        )
    if why := volume_binding.obstacle(desired, seen.volumes):
        return _unschedulable(desired, why, [preemption.NOT_HELPFUL] * len(seen.nodes), seen)
    reasons = [_misfits(desired, node, seen) for node in seen.nodes]
    chosen = next((node for node, found in zip(seen.nodes, reasons, strict=True) if not found), None)
    if chosen is None:
        why = _added_up(itertools.chain.from_iterable(reasons))
        kept = [_why_nobody_goes(desired, node, seen) for node in seen.nodes]
        return _preempting(desired, seen) or _unschedulable(desired, why, kept, seen)
    steps = volume_binding.steps(chosen, seen.volumes)
    return steps or _bound(desired, chosen["metadata"]["name"], seen)


def _misfits(pod: JsonObject, node: JsonObject, seen: Seen) -> list[str]:
    """What keeps a pod from a node for good comes before what there is too little of."""
    why = _obstacle(pod, node, seen)
    return [why] if why else fitting.shortages(pod, node, preemption.rivals(pod, node, seen.pods))


def _obstacle(pod: JsonObject, node: JsonObject, seen: Seen) -> str:
    placed = [each for each in seen.pods if each["spec"].get("nodeName")]
    return (
        fitting.misfit(pod, node)
        or pod_affinity.misfit(pod, node, placed, seen.namespaces)
        or volume_binding.misfit(pod, node, placed, seen.volumes)
    )


def _why_nobody_goes(pod: JsonObject, node: JsonObject, seen: Seen) -> str:
    why = _obstacle(pod, node, seen)
    is_for_good = why and why not in {*pod_affinity.ENDING_WITH_PODS, volume_binding.IN_USE}
    return preemption.NOT_HELPFUL if is_for_good else preemption.NO_VICTIMS


def _preempting(pod: JsonObject, seen: Seen) -> actions.Actions:
    """Make room on the first node where that is possible; nothing when it is not."""
    for node in seen.nodes:
        victims = preemption.victims(pod, node, preemption.rivals(pod, node, seen.pods))
        if not victims or _obstacle(pod, node, seen):
            continue
        name = node["metadata"]["name"]
        message = _message(_added_up(_misfits(pod, node, seen)), seen)
        status = {**(pod.get("status") or {}), "nominatedNodeName": name}
        status["conditions"] = conditions.put(
            status.get("conditions"), _condition("Unschedulable", message), now=seen.now
        )
        return (
            *(action for victim in victims for action in _evict(victim, pod, name, seen)),
            *actions.patch_status(PODS, pod, status),
            actions.Event(pod, "FailedScheduling", message, "Warning"),
        )
    return ()


def _evict(victim: JsonObject, pod: JsonObject, node: str, seen: Seen) -> actions.Actions:
    entry = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "PreemptionByScheduler",
        "message": f"{NAME}: preempting to accommodate a higher priority pod",
    }
    status = {**(victim.get("status") or {})}
    status["conditions"] = conditions.put(status.get("conditions"), entry, now=seen.now)
    told = actions.Event(victim, "Preempted", f"Preempted by pod {pod['metadata']['uid']} on node {node}")
    return (
        *actions.patch_status(PODS, victim, status),
        actions.delete_of(PODS, victim, event=told),
    )


def needs_node(pod: JsonObject) -> bool:
    """Tell whether placing this pod is ours to do."""
    spec = pod["spec"]
    return (
        not spec.get("nodeName")
        and spec.get("schedulerName", NAME) == NAME
        and not pods.is_terminating(pod)
        and not pods.has_ended(pod)
    )


def _bound(pod: JsonObject, node: str, seen: Seen) -> actions.Actions:
    """Status first: once a pod has a node, its status is the node's to write."""
    metadata = pod["metadata"]
    entry = {"type": "PodScheduled", "status": "True"}
    status = {key: each for key, each in (pod.get("status") or {}).items() if key != "nominatedNodeName"}
    status["conditions"] = conditions.put(status.get("conditions"), entry, now=seen.now)
    message = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {node}"
    return (
        *actions.patch_status(PODS, pod, status),
        actions.patch_of(PODS, pod, {"spec": {"nodeName": node}}),
        actions.Event(pod, "Scheduled", message),
    )


def _added_up(reasons: Iterable[str]) -> str:
    return ", ".join(sorted(f"{times} {reason}" for reason, times in Counter(reasons).items()))


def _unschedulable(pod: JsonObject, why: str, kept: Iterable[str], seen: Seen) -> actions.Actions:
    """Say what keeps a pod from the nodes, and of each why no other pod goes from there in its place."""
    message = _message(why, seen)
    if seen.nodes:
        waits = preemption.ineligibility(pod, seen.pods)
        message += f" preemption: {waits or _message(_added_up(kept), seen)}"
    patches = _set_condition(pod, "Unschedulable", message, seen)
    if not patches:
        return ()
    return (*patches, actions.Event(pod, "FailedScheduling", message, "Warning"))


def _message(why: str, seen: Seen) -> str:
    count = len(seen.nodes)
    return f"0/{count} nodes are available: {why}." if count else "no nodes available to schedule pods"


def _condition(reason: str, message: str) -> JsonObject:
    return {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}


def _set_condition(pod: JsonObject, reason: str, message: str, seen: Seen) -> actions.Actions:
    status = {**(pod.get("status") or {})}
    entry = _condition(reason, message)
    status["conditions"] = conditions.put(status.get("conditions"), entry, now=seen.now)
    return actions.patch_status(PODS, pod, status)


def _unbound_pods(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    if change.previous is not None and not fitting.is_changed(change.previous, change.object):
        return ()
    return [runner.key_of(PODS, pod) for pod in caches.of(PODS).all() if needs_node(pod)]


def _pods_to_place(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    """The pod itself; when one goes, all that wait; and when one comes, those particular about their neighbours."""
    yield runner.key_of(source, change.object)
    before = change.previous
    if change.type == "MODIFIED" and before is not None:
        is_news = pods.is_active(before) != pods.is_active(change.object)
        if not is_news and before["spec"].get("nodeName") == change.object["spec"].get("nodeName"):
            return
    is_gone = change.type == "DELETED" or pods.has_ended(change.object)
    for pod in caches.of(PODS).all():
        if needs_node(pod) and (
            is_gone or pod_affinity.is_wanted(pod) or pod_affinity.is_wanted(change.object)
        ):
            yield runner.key_of(PODS, pod)


def _pods_with_claims(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    """Pods that wait for a volume, or for a claim, of any name: what one of them gets another does not."""
    namespace = change.object["metadata"].get("namespace")
    of_namespace = caches.of(PODS).in_namespace(namespace) if namespace else caches.of(PODS).all()
    return [runner.key_of(PODS, pod) for pod in of_namespace if needs_node(pod) and agreed.claim_names(pod)]


def _counts(pod: JsonObject, node_name: str) -> bool:
    named = (pod.get("status") or {}).get("nominatedNodeName")
    return bool(node_name in (pod["spec"].get("nodeName"), named))


def _volumes_for(pod: JsonObject, caches: informers.Informers) -> volume_binding.Seen:
    names = agreed.claim_names(pod)
    if not names:
        return volume_binding.NOTHING
    namespace = pod["metadata"]["namespace"]
    claims = {name: caches.of(VOLUME_CLAIMS).get(namespace, name) for name in names}
    classes = {each["metadata"]["name"]: each for each in caches.of(STORAGE_CLASSES).all()}
    return volume_binding.Seen(
        {name: claim for name, claim in claims.items() if claim is not None},
        tuple(caches.of(VOLUMES).all()),
        classes,
    )


def controller(*, node_name: str) -> runner.Controller:
    """Declare the controller that places pods on this node."""

    async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
        node = view.caches.of(NODES).get("", node_name)
        placed = tuple(pod for pod in view.caches.of(PODS).all() if _counts(pod, node_name))
        namespaces = {
            each["metadata"]["name"]: selectors.labels_of(each) for each in view.caches.of(NAMESPACES).all()
        }
        return Seen(
            view.now, () if node is None else (node,), placed, namespaces, _volumes_for(desired, view.caches)
        )

    return runner.Controller(
        name=NAME,
        watches=(
            runner.Watch(PODS, _pods_to_place),
            runner.Watch(NODES, _unbound_pods),
            runner.Watch(VOLUME_CLAIMS, _pods_with_claims),
            runner.Watch(VOLUMES, _pods_with_claims),
            runner.Watch(STORAGE_CLASSES, _pods_with_claims),
        ),
        reads=(NAMESPACES,),
        observe=observe,
        reconcile=reconcile,
        workers=1,  # so that each pod sees where the one before it went
    )
