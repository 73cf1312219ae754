"""
Who has to go so that a pod of higher priority can run on a node. Pure.

As few as possible go, the lowest priorities first. A pod that waits until its victims are gone is named on the node
meanwhile (`status.nominatedNodeName`), so that nobody of lower priority takes what they leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import fitting, informers, pods

NOT_HELPFUL: Final = "Preemption is not helpful for scheduling"
NO_VICTIMS: Final = "No preemption victims found for incoming pod"
"""Why no pod has to go from a node, in the scheduler's words, to be read after a count."""


def priority(pod: JsonObject) -> int:
    found: int = pod["spec"].get("priority") or 0
    return found


def waits_on(pod: JsonObject, node: JsonObject) -> bool:
    """Whether the pod has been given this node, and waits until there is room."""
    return bool((pod.get("status") or {}).get("nominatedNodeName") == node["metadata"]["name"])


def ineligibility(pod: JsonObject, others: Iterable[JsonObject]) -> str:
    """Why no pod has to go for this one, wherever it might run; "" when nothing speaks against it."""
    if pod["spec"].get("preemptionPolicy") == "Never":
        return "not eligible due to preemptionPolicy=Never."
    named = (pod.get("status") or {}).get("nominatedNodeName")
    if named and any(
        pods.is_terminating(each) and each["spec"].get("nodeName") == named and priority(each) < priority(pod)
        for each in others
    ):
        return "not eligible due to a terminating pod on the nominated node."
    return ""


def rivals(pod: JsonObject, node: JsonObject, others: Sequence[JsonObject]) -> list[JsonObject]:
    """The pods whose requests count before those of `pod`: on the node, or named on it with no less priority."""
    return [
        other
        for other in others
        if informers.place_of(other) != informers.place_of(pod)
        and not pods.has_ended(other)
        and (
            other["spec"].get("nodeName") == node["metadata"]["name"]
            or (waits_on(other, node) and priority(other) >= priority(pod))
        )
    ]


def victims(pod: JsonObject, node: JsonObject, rivals: Sequence[JsonObject]) -> list[JsonObject]:
    """
    Choose the pods to delete for `pod`.

    Returns:
        Those with the lowest priority that make room, the highest of them first; empty when no choice would do, or
        when some that go already will.
    """
    if pod["spec"].get("preemptionPolicy") == "Never":
        return []
    lower = [
        each
        for each in rivals
        if priority(each) < priority(pod) and each["spec"].get("nodeName") == node["metadata"]["name"]
    ]
    if waits_on(pod, node) and any(pods.is_terminating(each) for each in lower):
        return []
    kept = [each for each in rivals if each not in lower]
    if not lower or fitting.shortages(pod, node, kept):
        return []
    chosen = []
    for each in sorted(
        lower, key=lambda each: (-priority(each), each["metadata"].get("creationTimestamp", ""))
    ):
        if fitting.shortages(pod, node, [*kept, each]):
            chosen.append(each)
        else:
            kept.append(each)
    return [each for each in chosen if not pods.is_terminating(each)]
