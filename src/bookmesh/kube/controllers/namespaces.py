"""
Ends namespaces: deletes what is in one that was asked to go, and lets go of it when nothing is left.

What is in it is listed from the server, not from a copy: whatever was created last must not be left behind. The
server refuses to create more once a namespace is terminating.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from bookmesh.base.kubernetes import NAMESPACES, ApiError, JsonObject, Resource
from bookmesh.kube.controllers import actions, conditions, informers, owners, runner
from bookmesh.kube.controllers.resources import Served

NAME = "namespace-controller"
FINALIZER = "kubernetes"
LOOK_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Content:
    """One object in the namespace."""

    resource: Resource
    object: JsonObject


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything in the namespace, resource by resource; empty when the namespace is not terminating."""

    now: datetime
    contents: tuple[Content, ...]


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Take the next step towards the end of one namespace."""
    if not owners.is_being_deleted(desired):
        return ()
    if not seen.contents:
        return _finalized(desired)
    waiting = [each for each in seen.contents if not owners.is_being_deleted(each.object)]
    deletions = tuple(actions.delete_of(each.resource, each.object) for each in waiting)
    report = _report(desired, seen)
    return (*report, *deletions, actions.Requeue(0.0 if waiting else LOOK_AGAIN_S))


def _finalized(namespace: JsonObject) -> actions.Actions:
    before = namespace.get("spec") or {}
    finalizers = before.get("finalizers") or []
    if FINALIZER not in finalizers:
        return ()
    spec = {**before, "finalizers": [each for each in finalizers if each != FINALIZER]}
    return (actions.Update(NAMESPACES, {**namespace, "spec": spec}, subresource="finalize"),)


def _report(namespace: JsonObject, seen: Seen) -> actions.Actions:
    """Say what is still there, for people who wonder why it takes so long."""
    counts: dict[str, int] = {}
    finalizers: dict[str, int] = {}
    for each in seen.contents:
        counts[each.resource.qualified] = counts.get(each.resource.qualified, 0) + 1
        for finalizer in each.object["metadata"].get("finalizers") or ():
            finalizers[finalizer] = finalizers.get(finalizer, 0) + 1
    content = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(counts.items()))
    held = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
    status = {**(namespace.get("status") or {}), "phase": "Terminating"}
    listed = conditions.put(
        status.get("conditions"),
        {
            "type": "NamespaceContentRemaining",
            "status": "True",
            "reason": "SomeResourcesRemain",
            "message": f"Some resources are remaining: {content}",
        },
        now=seen.now,
    )
    listed = conditions.put(listed, _finalizers_condition(held), now=seen.now)
    return actions.patch_status(NAMESPACES, namespace, {**status, "conditions": listed})


def _finalizers_condition(held: str) -> JsonObject:
    if held:
        return {
            "type": "NamespaceFinalizersRemaining",
            "status": "True",
            "reason": "SomeFinalizersRemain",
            "message": f"Some content in the namespace has finalizers remaining: {held}",
        }
    return {
        "type": "NamespaceFinalizersRemaining",
        "status": "False",
        "reason": "ContentHasNoFinalizers",
        "message": "All content-preserving finalizers finished",
    }


def _terminating_namespace(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    name = change.object["metadata"].get("namespace", "")
    if change.type != "DELETED" or not name:
        return ()
    namespace = caches.of(NAMESPACES).get("", name)
    if namespace is None or not owners.is_being_deleted(namespace):
        return ()
    return (runner.Key(NAMESPACES, "", name),)


def controller(*, served: Callable[[], Iterable[Served]]) -> runner.Controller:
    """Declare the controller; `served` tells what the server has now, custom resources included."""

    async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
        contents: list[Content] = []
        if owners.is_being_deleted(desired):
            for each in served():
                if each.is_namespaced:
                    contents.extend(await _list(each.resource, key.name, view))
        return Seen(view.now, tuple(contents))

    return runner.Controller(
        name=NAME,
        watches=(runner.own_keys(NAMESPACES), runner.Watch(None, _terminating_namespace)),
        observe=observe,
        reconcile=reconcile,
    )


async def _list(resource: Resource, namespace: str, view: runner.View) -> list[Content]:
    try:
        listed = await view.client.list(resource, namespace)
    except ApiError as error:
        if error.code == 404:
            return []
        raise
    return [Content(resource, obj) for obj in listed.items]
