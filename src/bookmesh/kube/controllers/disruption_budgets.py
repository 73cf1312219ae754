"""Counts how many pods of a PodDisruptionBudget may be taken away now; evictions are weighed against that number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bookmesh.base.kubernetes import PODS, REPLICA_SETS, JsonObject, Resource
from bookmesh.kube.controllers import (
    actions,
    conditions,
    informers,
    owners,
    pods,
    rollout_limits,
    runner,
    selectors,
)
from bookmesh.kube.controllers.resources import DISRUPTION_BUDGETS, STATEFUL_SETS

NAME: Final = "disruption-controller"
_DISRUPTION_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Pods of the namespace, and how many pods each controller wants, by its uid."""

    now: datetime
    pods: tuple[JsonObject, ...]
    replicas: Mapping[str, int] = field(default_factory=dict)


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Report what the budget allows."""
    if owners.is_being_deleted(desired):
        return ()
    spec = desired["spec"]
    selected = [
        pod
        for pod in seen.pods
        if selectors.matches(spec.get("selector"), selectors.labels_of(pod)) and not pods.has_ended(pod)
    ]
    disrupted = _still_disrupted(desired, selected, seen.now)
    healthy = sum(
        pods.is_ready(pod) and not pods.is_terminating(pod) and pod["metadata"]["name"] not in disrupted
        for pod in selected
    )
    expected = _expected(selected, seen.replicas)
    wanted = _wanted(spec, expected, len(selected))
    allowed = max(0, healthy - wanted) if expected else 0
    status = _status(desired, seen.now, (allowed, healthy, wanted, expected), disrupted)
    again = (actions.Requeue(_DISRUPTION_S),) if disrupted else ()
    return (*actions.patch_status(DISRUPTION_BUDGETS, desired, status), *again)


def _still_disrupted(budget: JsonObject, selected: list[JsonObject], now: datetime) -> dict[str, str]:
    """Pods whose eviction was allowed and that are not on their way yet; forgotten when nothing comes of it."""
    waiting = (budget.get("status") or {}).get("disruptedPods") or {}
    there = {pod["metadata"]["name"] for pod in selected if not pods.is_terminating(pod)}
    return {
        name: since
        for name, since in waiting.items()
        if name in there and now - conditions.parse_time(since) < timedelta(seconds=_DISRUPTION_S)
    }


def _expected(selected: list[JsonObject], replicas: Mapping[str, int]) -> int:
    """What the controllers of the pods want; a pod without a known controller counts itself."""
    uids: set[str] = set()
    alone = 0
    for pod in selected:
        reference = owners.controller_reference(pod)
        if reference is not None and reference["uid"] in replicas:
            uids.add(reference["uid"])
        else:
            alone += 1
    return alone + sum(replicas[uid] for uid in uids)


def _wanted(spec: JsonObject, expected: int, count: int) -> int:
    if spec.get("maxUnavailable") is not None:
        return max(0, expected - rollout_limits.share(spec["maxUnavailable"], expected, rounds_up=True))
    least = spec.get("minAvailable", 1)
    total = expected if isinstance(least, str) else count
    return rollout_limits.share(least, total, rounds_up=True)


def _status(
    budget: JsonObject, now: datetime, numbers: tuple[int, int, int, int], disrupted: Mapping[str, str]
) -> JsonObject:
    allowed, healthy, wanted, expected = numbers
    current = budget.get("status") or {}
    generation = budget["metadata"].get("generation", 0)
    entry = {
        "type": "DisruptionAllowed",
        "status": "True" if allowed else "False",
        "reason": "SufficientPods" if allowed else "InsufficientPods",
        "message": "",
        "observedGeneration": generation,
    }
    gone = {name: None for name in current.get("disruptedPods") or {} if name not in disrupted}
    status: JsonObject = {
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": wanted,
        "expectedPods": expected,
        "observedGeneration": generation,
        "conditions": conditions.put(current.get("conditions"), entry, now=now),
    }
    if disrupted or gone:  # a merge patch: null forgets a pod
        status["disruptedPods"] = {**gone, **disrupted}
    elif "disruptedPods" in current:
        status["disruptedPods"] = current["disruptedPods"]
    return status


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    wanted = {
        each["metadata"]["uid"]: rollout_limits.wanted(each)
        for resource in (REPLICA_SETS, STATEFUL_SETS)
        for each in view.caches.of(resource).in_namespace(key.namespace)
    }
    return Seen(view.now, view.caches.of(PODS).in_namespace(key.namespace), wanted)


def _budgets_of(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    namespace = change.object["metadata"]["namespace"]
    return [
        runner.key_of(DISRUPTION_BUDGETS, each)
        for each in caches.of(DISRUPTION_BUDGETS).in_namespace(namespace)
    ]


CONTROLLER = runner.Controller(
    name=NAME,
    watches=(
        runner.own_keys(DISRUPTION_BUDGETS),
        runner.Watch(PODS, _budgets_of),
        runner.Watch(REPLICA_SETS, _budgets_of),
        runner.Watch(STATEFUL_SETS, _budgets_of),
    ),
    observe=observe,
    reconcile=reconcile,
)
