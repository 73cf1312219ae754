"""Feeds `horizontal_autoscalers`: finds targets, pods and metrics, and remembers what was recommended and done."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from bookmesh.base.kubernetes import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    POD_METRICS,
    PODS,
    REPLICA_SETS,
    ApiError,
    JsonObject,
    Resource,
)
from bookmesh.kube.controllers import (
    actions,
    horizontal_autoscalers,
    informers,
    resources,
    runner,
    scaling_rules,
    selectors,
)
from bookmesh.kube.controllers.resources import AUTOSCALERS, STATEFUL_SETS

NAME: Final = "horizontal-pod-autoscaler"
_TARGETS: Final = {
    ("apps", "Deployment"): DEPLOYMENTS,
    ("apps", "ReplicaSet"): REPLICA_SETS,
    ("apps", "StatefulSet"): STATEFUL_SETS,
}


class Memory:
    """What was recommended and done, by the autoscaler's uid; not kept over a restart, as in a controller manager."""

    def __init__(self) -> None:
        self._histories: dict[str, scaling_rules.History] = {}
        self._asked: dict[str, tuple[datetime, int, int]] = {}

    def recall(self, autoscaler: JsonObject, *, size: int, now: datetime) -> scaling_rules.History:
        """Give the history, knowing that the target has `size` now; the first size counts as a recommendation."""
        uid = autoscaler["metadata"]["uid"]
        if uid not in self._histories:
            first = scaling_rules.Recommendation(now, size)
            self._histories[uid] = scaling_rules.History((first,))
        history = scaling_rules.remembered(self._histories[uid], autoscaler["spec"], now=now)
        at, before, wanted = self._asked.pop(uid, (now, size, size))
        if wanted == size != before:
            done = scaling_rules.Scaling(at, size - before)
            history = dataclasses.replace(history, scalings=(*history.scalings, done))
        self._histories[uid] = history
        return history

    def note(
        self, uid: str, seen: horizontal_autoscalers.Seen, made: horizontal_autoscalers.Decision
    ) -> None:
        """Take what was decided; that the target got its new size shows when it is looked at the next time."""
        if made.recommended is not None and uid in self._histories:
            history = self._histories[uid]
            latest = scaling_rules.Recommendation(seen.now, made.recommended)
            self._histories[uid] = dataclasses.replace(
                history, recommendations=(*history.recommendations, latest)
            )
        if made.size is not None and seen.scale is not None:
            self._asked[uid] = seen.now, seen.scale["spec"].get("replicas", 0), made.size

    def forget(self, uid: str) -> None:
        self._histories.pop(uid, None)
        self._asked.pop(uid, None)


def controller() -> runner.Controller:
    """Declare the controller."""
    memory = Memory()

    async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> horizontal_autoscalers.Seen:
        return await _observe(desired, view, memory)

    def reconcile(desired: JsonObject, seen: horizontal_autoscalers.Seen) -> actions.Actions:
        made = horizontal_autoscalers.decide(desired, seen)
        memory.note(desired["metadata"]["uid"], seen, made)
        return made.actions

    def changed(
        change: informers.Change, source: Resource, caches: informers.Informers
    ) -> Iterable[runner.Key]:
        """A new specification is looked at now; our own statuses wait for the next round."""
        if change.type == "DELETED":
            memory.forget(change.object["metadata"]["uid"])
        if change.previous is None or change.previous["spec"] != change.object["spec"]:
            yield runner.key_of(source, change.object)

    return runner.Controller(
        name=NAME,
        watches=(runner.Watch(AUTOSCALERS, changed),),
        reads=(PODS, CUSTOM_RESOURCE_DEFINITIONS),
        observe=observe,
        reconcile=reconcile,
    )


async def _observe(autoscaler: JsonObject, view: runner.View, memory: Memory) -> horizontal_autoscalers.Seen:
    namespace, reference = autoscaler["metadata"]["namespace"], autoscaler["spec"]["scaleTargetRef"]
    group = reference.get("apiVersion", "").rpartition("/")[0]
    target = _target(group, reference["kind"], view.caches)
    if target is None:
        why = f'no matches for kind "{reference["kind"]}" in group "{group}"'
        return horizontal_autoscalers.Seen(view.now, scale_error=why)
    try:
        # The way to read a Scale through this port: a change of nothing is not written.
        scale = await view.client.patch(target, reference["name"], namespace, {}, subresource="scale")
    except ApiError as error:
        why = error.message.replace(target.qualified, f"{target.plural}/scale.{target.group}", 1)
        return horizontal_autoscalers.Seen(view.now, target, scale_error=why)
    text = (scale.get("status") or {}).get("selector")
    selector = selectors.parse(text) if text else None
    selected = tuple(
        pod
        for pod in view.caches.of(PODS).in_namespace(namespace)
        if selectors.matches(selector, selectors.labels_of(pod))
    )
    seen = horizontal_autoscalers.Seen(
        view.now,
        target,
        scale,
        pods=selected,
        history=memory.recall(autoscaler, size=scale["spec"].get("replicas", 0), now=view.now),
        refusal=view.failure,
    )
    names = {pod["metadata"]["name"] for pod in selected}
    try:
        measured = (await view.client.list(POD_METRICS, namespace)).items
    except ApiError as error:
        return dataclasses.replace(seen, metrics_error=error.message)
    return dataclasses.replace(
        seen, metrics=tuple(each for each in measured if each["metadata"]["name"] in names)
    )


def _target(group: str, kind: str, caches: informers.Informers) -> Resource | None:
    """Find what has replicas under a kind; None when the server has nothing of that name."""
    if (group, kind) in _TARGETS:
        return _TARGETS[(group, kind)]
    for definition in caches.of(CUSTOM_RESOURCE_DEFINITIONS).all():
        served = resources.of_definition(definition)
        if served is not None and (served.resource.group, served.kind) == (group, kind):
            return served.resource
    return None
