"""
How many replicas one metric of an autoscaler asks for: Kubernetes' arithmetic over pods, their requests and metrics.

Amounts are in thousandths (millicores, thousandths of a byte), as its integers are. A pod that has just started, is
not ready or has no metrics yet makes the proposal more careful, never bolder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import conditions, pods
from bookmesh.kube.schema import quantities

TOLERANCE: Final = 0.1
_STARTING: Final = timedelta(minutes=5)
_FIRST_READY: Final = timedelta(seconds=30)
_SUFFIXES: Final = ("", "k", "M", "G", "T", "P")


class MetricError(Exception):
    """A metric says nothing; the text is the controller's."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """`current` is the `current` of the metric's status."""

    replicas: int
    current: JsonObject


@dataclass(frozen=True, slots=True)
class _Usage:
    amount: int
    at: datetime
    window: timedelta


@dataclass(frozen=True, slots=True)
class _Groups:
    """Names of pods: that count, that are not ready, without metrics; those that end are in none."""

    ready: frozenset[str]
    unready: frozenset[str]
    missing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Target:
    """What of each pod is looked at: one resource, of all containers or of one ("" is all)."""

    resource: str
    container: str
    target: JsonObject


def propose(
    wanted: Target,
    *,
    current: int,
    selected: Sequence[JsonObject],
    metrics: Sequence[JsonObject],
    now: datetime,
) -> Proposal:
    """
    Compute the replicas that bring the average to its target.

    `selected` are the pods of the target, `metrics` their PodMetrics.

    Raises:
        MetricError: no metrics, no pods, or no request that a share could be of.
    """
    usages = _usages(wanted, metrics)
    if not usages:
        raise MetricError(
            f"unable to get metrics for resource {wanted.resource}: no metrics returned from resource metrics API"
        )
    if not selected:
        raise MetricError("no pods returned by selector while calculating replica count")
    groups = _group(selected, usages, wanted.resource, now)
    is_share = "averageValue" not in wanted.target
    requests = {pod["metadata"]["name"]: _request(pod, wanted) for pod in selected} if is_share else {}
    amounts = {name: usages[name].amount for name in groups.ready}
    if not amounts:
        raise MetricError("did not receive metrics for any ready pods")
    goal = wanted.target["averageUtilization"] if is_share else milli(wanted.target["averageValue"])
    ratio, share, average = _ratio(amounts, requests, goal, is_share=is_share)
    replicas = _replicas(
        ratio, amounts, groups, requests=requests, goal=goal, current=current, is_share=is_share
    )
    reported: JsonObject = {"averageValue": format_milli(average)}
    if is_share:
        reported = {"averageUtilization": share, **reported}
    return Proposal(replicas, reported)


def milli(quantity: str | float) -> int:
    """Read a quantity in thousandths, rounded up."""
    return math.ceil(quantities.parse(quantity) * 1000)


def format_milli(amount: int) -> str:
    """Write thousandths as a quantity: `153m`, `2`, `20480k`."""
    if amount % 1000:
        return f"{amount}m"
    number, power = amount // 1000, 0
    while number and number % 1000 == 0 and power < len(_SUFFIXES) - 1:
        number, power = number // 1000, power + 1
    return f"{number}{_SUFFIXES[power]}"


def _replicas(
    ratio: float,
    amounts: Mapping[str, int],
    groups: _Groups,
    *,
    requests: Mapping[str, int],
    goal: int,
    current: int,
    is_share: bool,
) -> int:
    rebalances = bool(groups.unready) and ratio > 1
    if not rebalances and not groups.missing:
        return current if _is_close(ratio) else math.ceil(ratio * len(groups.ready))
    assumed = dict(amounts)
    for name in groups.missing:
        # On the way down a pod without metrics counts as fully used, on the way up as idle.
        assumed[name] = (requests[name] if is_share else goal) if ratio < 1 else 0
    if rebalances:
        assumed |= dict.fromkeys(groups.unready, 0)
    careful, _, _ = _ratio(assumed, requests, goal, is_share=is_share)
    if _is_close(careful) or (ratio < 1 < careful) or (careful < 1 < ratio):
        return current
    replicas = math.ceil(careful * len(assumed))
    if (careful < 1 and replicas > current) or (careful > 1 and replicas < current):
        return current
    return replicas


def _is_close(ratio: float) -> bool:
    return abs(1.0 - ratio) <= TOLERANCE


def _ratio(
    amounts: Mapping[str, int], requests: Mapping[str, int], goal: int, *, is_share: bool
) -> tuple[float, int, int]:
    """Usage relative to the goal, the share of the requests in percent, and the average per pod."""
    total = sum(amounts.values())
    average = total // len(amounts)
    if not is_share:
        return average / goal, 0, average
    requested = sum(requests[name] for name in amounts)
    if requested == 0:
        raise MetricError("no metrics returned matched known pods")
    share = total * 100 // requested
    return share / goal, share, average


def _usages(wanted: Target, metrics: Sequence[JsonObject]) -> dict[str, _Usage]:
    """By the pod's name; a pod one of whose containers does not tell is left out."""
    found = {}
    for entry in metrics:
        listed = [
            container
            for container in entry["containers"]
            if wanted.container in ("", container["name"]) and wanted.resource in container["usage"]
        ]
        metadata = entry["metadata"]
        if wanted.container and not listed:
            place = f"{metadata['namespace']}/{metadata['name']}"
            raise MetricError(
                f"unable to get metrics for resource {wanted.resource}: failed to get container metrics: "
                f"container {wanted.container} not present in metrics for pod {place}"
            )
        if listed and (wanted.container or len(listed) == len(entry["containers"])):
            found[metadata["name"]] = _Usage(
                sum(milli(container["usage"][wanted.resource]) for container in listed),
                conditions.parse_time(entry["timestamp"]),
                timedelta(seconds=float(entry["window"].removesuffix("s"))),
            )
    return found


def _group(
    selected: Sequence[JsonObject], usages: Mapping[str, _Usage], resource: str, now: datetime
) -> _Groups:
    ready, unready, missing = set(), set(), set()
    for pod in selected:
        name = pod["metadata"]["name"]
        if pods.is_terminating(pod) or pods.phase(pod) == "Failed":
            continue
        if pods.phase(pod) == "Pending":
            unready.add(name)
        elif name not in usages:
            missing.add(name)
        elif resource == "cpu" and _is_unready(pod, usages[name], now):
            unready.add(name)
        else:
            ready.add(name)
    return _Groups(frozenset(ready), frozenset(unready), frozenset(missing))


def _is_unready(pod: JsonObject, usage: _Usage, now: datetime) -> bool:
    """Whether the processor time of a pod is that of its start and not of its work."""
    status = pod.get("status") or {}
    condition = conditions.find(status.get("conditions"), "Ready")
    if condition is None or not status.get("startTime") or not condition.get("lastTransitionTime"):
        return True
    started = conditions.parse_time(status["startTime"])
    changed = conditions.parse_time(condition["lastTransitionTime"])
    is_down = condition["status"] == "False"
    if started + _STARTING > now:
        return is_down or usage.at < changed + usage.window
    return is_down and started + _FIRST_READY > changed


def _request(pod: JsonObject, wanted: Target) -> int:
    spec, total = pod["spec"], Decimal(0)
    sidecars = [each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]
    for container in (*spec["containers"], *sidecars):
        if wanted.container in ("", container["name"]):
            request = ((container.get("resources") or {}).get("requests") or {}).get(wanted.resource)
            if request is None:
                name = pod["metadata"]["name"]
                raise MetricError(
                    f"missing request for {wanted.resource} in container {container['name']} of Pod {name}"
                )
            total += quantities.parse(request)
    return math.ceil(total * 1000)
