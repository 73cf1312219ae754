"""
Binds pods to nodes: the first node by name that is ready and fits.

A pod that fits nowhere stays Pending with the reason in its condition PodScheduled and an Event, in the words of the
default scheduler; it is tried again whenever a node changes, or a pod goes that it cannot be beside. Requests are not
added up: the lab has one machine, and what is scarce there shows. Only a pod that is larger than the machine waits.
"""

from __future__ import annotations

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
    runner,
    selectors,
    volume_binding,
)

NAME = "default-scheduler"


@dataclass(frozen=True, slots=True)
class Seen:
    """The nodes pods may be placed on, by name; the pods that are on one, and the labels of namespaces."""

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
        return _unschedulable(desired, why, seen)
    reasons = [_misfit(desired, node, seen) for node in seen.nodes]
    chosen = next((node for node, reason in zip(seen.nodes, reasons, strict=True) if not reason), None)
    if chosen is None:
        return _unschedulable(desired, _added_up(reasons), seen)
    steps = volume_binding.steps(chosen, seen.volumes)
    return steps or _bound(desired, chosen["metadata"]["name"], seen)


def _misfit(pod: JsonObject, node: JsonObject, seen: Seen) -> str:
    return (
        fitting.misfit(pod, node)
        or pod_affinity.misfit(pod, node, seen.pods, seen.namespaces)
        or volume_binding.misfit(pod, node, seen.pods, seen.volumes)
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
    status = {**(pod.get("status") or {})}
    status["conditions"] = conditions.put(status.get("conditions"), entry, now=seen.now)
    message = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {node}"
    return (
        *actions.patch_status(PODS, pod, status),
        actions.patch_of(PODS, pod, {"spec": {"nodeName": node}}),
        actions.Event(pod, "Scheduled", message),
    )


def _added_up(reasons: Iterable[str]) -> str:
    return ", ".join(sorted(f"{times} {reason}" for reason, times in Counter(reasons).items()))


def _unschedulable(pod: JsonObject, why: str, seen: Seen) -> actions.Actions:
    count = len(seen.nodes)
    message = "no nodes available to schedule pods"
    if count:
        message = f"0/{count} nodes are available: {why}."
    patches = _set_condition(pod, "Unschedulable", message, seen)
    if not patches:
        return ()
    return (*patches, actions.Event(pod, "FailedScheduling", message, "Warning"))


def _set_condition(pod: JsonObject, reason: str, message: str, seen: Seen) -> actions.Actions:
    status = {**(pod.get("status") or {})}
    entry = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
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
    """The pod itself; and when one goes, or comes to a node, those that are particular about their neighbours."""
    yield runner.key_of(source, change.object)
    before = change.previous
    if change.type == "MODIFIED" and before is not None:
        is_news = pods.is_active(before) != pods.is_active(change.object)
        if not is_news and before["spec"].get("nodeName") == change.object["spec"].get("nodeName"):
            return
    for pod in caches.of(PODS).all():
        if needs_node(pod) and (pod_affinity.is_wanted(pod) or pod_affinity.is_wanted(change.object)):
            yield runner.key_of(PODS, pod)


def _pods_with_claims(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    """Pods that wait for a volume, or for a claim, of any name: what one of them gets another does not."""
    namespace = change.object["metadata"].get("namespace")
    of_namespace = caches.of(PODS).in_namespace(namespace) if namespace else caches.of(PODS).all()
    return [runner.key_of(PODS, pod) for pod in of_namespace if needs_node(pod) and agreed.claim_names(pod)]


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
        placed = tuple(pod for pod in view.caches.of(PODS).all() if pod["spec"].get("nodeName") == node_name)
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
