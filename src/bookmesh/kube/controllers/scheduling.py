"""
Binds pods to nodes: the first node by name that is ready and fits.

A pod that fits nowhere stays Pending with the reason in its condition PodScheduled and an Event, in the words of the
default scheduler; it is tried again whenever a node changes. Resource requests are not counted: the lab has one
machine, and what is scarce there shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bookmesh.base.kubernetes import NODES, PODS, JsonObject, Resource
from bookmesh.kube.controllers import actions, conditions, fitting, informers, pods, runner

NAME = "default-scheduler"


@dataclass(frozen=True, slots=True)
class Seen:
    """The nodes pods may be placed on, by name."""

    now: datetime
    nodes: tuple[JsonObject, ...]


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Bind one pod, or say why not."""
    if not needs_node(desired):
        return ()
    if desired["spec"].get("schedulingGates"):
        return _set_condition(
            desired, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates", seen
        )
    reasons = {node["metadata"]["name"]: fitting.misfit(desired, node) for node in seen.nodes}
    fits = [name for name, reason in reasons.items() if not reason]
    if not fits:
        return _unschedulable(desired, [reason for reason in reasons.values() if reason], seen)
    return _bound(desired, fits[0], seen)


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


def _unschedulable(pod: JsonObject, reasons: list[str], seen: Seen) -> actions.Actions:
    count = len(seen.nodes)
    message = "no nodes available to schedule pods"
    if count:
        told = sorted(f"{times} {reason}" for reason, times in Counter(reasons).items())
        message = f"0/{count} nodes are available: {', '.join(told)}."
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


def controller(*, node_name: str) -> runner.Controller:
    """Declare the controller that places pods on this node."""

    async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
        node = view.caches.of(NODES).get("", node_name)
        return Seen(view.now, () if node is None else (node,))

    return runner.Controller(
        name=NAME,
        watches=(runner.own_keys(PODS), runner.Watch(NODES, _unbound_pods)),
        observe=observe,
        reconcile=reconcile,
    )
