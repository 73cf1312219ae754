"""Deletes pods that do not tolerate a NoExecute taint of their node, or whose `tolerationSeconds` for it are over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bookmesh.base.kubernetes import NODES, PODS, JsonObject, Resource
from bookmesh.base.pods import MIRROR_ANNOTATION
from bookmesh.kube.controllers import actions, conditions, fitting, informers, pods, runner

NAME: Final = "taint-eviction-controller"


@dataclass(frozen=True, slots=True)
class Seen:
    """The node the pod is on; None when it is on none."""

    now: datetime
    node: JsonObject | None


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Delete one pod, or come back when it is time to."""
    is_mirror = MIRROR_ANNOTATION in (desired["metadata"].get("annotations") or {})
    if seen.node is None or is_mirror or pods.is_terminating(desired) or pods.has_ended(desired):
        return ()
    waits = [_tolerated_s(taint, desired, seen.now) for taint in _taints(seen.node)]
    bounded = [wait for wait in waits if wait is not None]
    if not bounded:
        return ()
    if min(bounded) > 0:
        return (actions.Requeue(min(bounded)),)
    metadata = desired["metadata"]
    text = f"Marking for deletion Pod {metadata['namespace']}/{metadata['name']}"
    return (actions.delete_of(PODS, desired, event=actions.Event(desired, "TaintManagerEviction", text)),)


def _taints(node: JsonObject) -> list[JsonObject]:
    return [taint for taint in (node.get("spec") or {}).get("taints") or () if taint["effect"] == "NoExecute"]


def _tolerated_s(taint: JsonObject, pod: JsonObject, now: datetime) -> float | None:
    """How long the pod may stay beside the taint: 0 not at all, None for ever."""
    tolerations = [each for each in pod["spec"].get("tolerations") or () if fitting.tolerates(each, taint)]
    if not tolerations:
        return 0.0
    bounds = [each["tolerationSeconds"] for each in tolerations if each.get("tolerationSeconds") is not None]
    if len(bounds) < len(tolerations):
        return None
    since = conditions.parse_time(taint["timeAdded"]) if taint.get("timeAdded") else now
    return max(0.0, (since + timedelta(seconds=min(bounds)) - now).total_seconds())


def _pods_of_node(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    before = [] if change.previous is None else _taints(change.previous)
    if before == _taints(change.object):
        return ()
    name = change.object["metadata"]["name"]
    return [runner.key_of(PODS, pod) for pod in caches.of(PODS).all() if pod["spec"].get("nodeName") == name]


def _placed(change: informers.Change, source: Resource, caches: informers.Informers) -> Iterable[runner.Key]:
    """A pod is looked at when it gets its node; what happens on it is no business of ours."""
    is_placed = bool(change.object["spec"].get("nodeName"))
    was_placed = change.previous is not None and bool(change.previous["spec"].get("nodeName"))
    return (runner.key_of(source, change.object),) if is_placed and not was_placed else ()


async def _observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    name = desired["spec"].get("nodeName")
    return Seen(view.now, view.caches.of(NODES).get("", name) if name else None)


CONTROLLER: Final = runner.Controller(
    name=NAME,
    watches=(runner.Watch(PODS, _placed), runner.Watch(NODES, _pods_of_node)),
    observe=_observe,
    reconcile=reconcile,
)
