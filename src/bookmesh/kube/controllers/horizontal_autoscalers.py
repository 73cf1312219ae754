"""
Scales what a HorizontalPodAutoscaler points to by what its pods use.

`replica_proposals` says how many pods the metrics ask for, `scaling_rules` how far that may be followed now. Only
metrics of resources are there: Pods, Object and External metrics fail as in a cluster without an adapter for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.controllers import (
    actions,
    conditions,
    metric_specifications,
    owners,
    scaling_rules,
)
from bookmesh.kube.controllers.resources import AUTOSCALERS

SYNC_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What there is to see of the target and its pods.

    Attributes:
        scale: the target's Scale; None when `scale_error` says why there is none.
        metrics: PodMetrics of the pods; None when `metrics_error` says why nobody serves them.
        refusal: why the target could not be scaled last time.
    """

    now: datetime
    target: Resource | None = None
    scale: JsonObject | None = None
    scale_error: str = ""
    pods: tuple[JsonObject, ...] = ()
    metrics: tuple[JsonObject, ...] | None = None
    metrics_error: str = ""
    history: scaling_rules.History = field(default_factory=scaling_rules.History)
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and what to remember: the proposal of the metrics, and the size that is asked for."""

    actions: actions.Actions
    recommended: int | None = None
    size: int | None = None


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """What to do with one autoscaler now."""
    return decide(desired, seen).actions


def decide(autoscaler: JsonObject, seen: Seen) -> Decision:
    """Look at one autoscaler."""
    if owners.is_being_deleted(autoscaler):
        return Decision(())
    pass_ = _Pass(autoscaler, seen)
    if seen.scale is None or seen.target is None:
        why = f"the HPA controller was unable to get the target's current scale: {seen.scale_error}"
        pass_.say("AbleToScale", "False", "FailedGetScale", why)
        event = actions.Event(autoscaler, "FailedGetScale", seen.scale_error, "Warning")
        return Decision((*pass_.status(), event, _AGAIN))
    why = "the HPA controller was able to get the target's current scale"
    pass_.say("AbleToScale", "True", "SucceededGetScale", why)
    return _sized(pass_, _Target(seen.target, seen.scale))


@dataclass(frozen=True, slots=True)
class _Target:
    """What is scaled: its resource and its Scale."""

    resource: Resource
    scale: JsonObject

    @property
    def size(self) -> int:
        size: int = self.scale["spec"].get("replicas", 0)
        return size

    def resized(self, size: int) -> actions.Patch:
        metadata = self.scale["metadata"]
        return actions.Patch(
            self.resource,
            metadata["namespace"],
            metadata["name"],
            {"spec": {"replicas": size}},
            version=metadata.get("resourceVersion", ""),
            subresource="scale",
        )


_AGAIN: Final = actions.Requeue(SYNC_S)


class _Pass:
    """The status of one autoscaler as it comes about."""

    def __init__(self, autoscaler: JsonObject, seen: Seen) -> None:
        self.autoscaler, self.seen, self.spec = autoscaler, seen, autoscaler["spec"]
        self._status: JsonObject = dict(autoscaler.get("status") or {})
        self._status.setdefault("desiredReplicas", 0)

    def say(self, kind: str, status: str, reason: str, message: str) -> None:
        entry = {"type": kind, "status": status, "reason": reason, "message": message}
        self._status["conditions"] = conditions.put(self._status.get("conditions"), entry, now=self.seen.now)

    def put(self, **fields: object) -> None:
        self._status.update(fields)

    def status(self) -> actions.Actions:
        return actions.patch_status(AUTOSCALERS, self.autoscaler, self._status)


def _sized(pass_: _Pass, target: _Target) -> Decision:
    least, most = pass_.spec.get("minReplicas", 1), pass_.spec["maxReplicas"]
    pass_.put(currentReplicas=target.size)
    if target.size == 0 and least != 0:
        why = "scaling is disabled since the replica count of the target is zero"
        pass_.say("ScalingActive", "False", "ScalingDisabled", why)
        pass_.put(desiredReplicas=0, currentMetrics=None)
        return Decision((*pass_.status(), _AGAIN))
    if target.size > most:
        return _scaled(pass_, target, most, "Current number of replicas above Spec.MaxReplicas")
    if target.size < least:
        return _scaled(pass_, target, least, "Current number of replicas below Spec.MinReplicas")
    return _measured(pass_, target)


def _measured(pass_: _Pass, target: _Target) -> Decision:
    seen, autoscaler = pass_.seen, pass_.autoscaler
    found = metric_specifications.evaluate(
        pass_.spec.get("metrics") or (),
        namespace=autoscaler["metadata"]["namespace"],
        has_selector=bool((target.scale.get("status") or {}).get("selector")),
        current=target.size,
        selected=seen.pods,
        metrics=seen.metrics,
        metrics_error=seen.metrics_error,
        now=seen.now,
    )
    pass_.put(currentMetrics=list(found.statuses))
    told = tuple(
        actions.Event(autoscaler, failure.reason, failure.cause, "Warning") for failure in found.failures
    )
    if found.replicas is None:
        first = found.failures[0]
        why = f"the HPA was unable to compute the replica count: {first.cause}"
        pass_.say("ScalingActive", "False", first.reason, why)
        failed = actions.Event(autoscaler, "FailedComputeMetricsReplicas", found.summary, "Warning")
        return Decision((*pass_.status(), *told, failed, _AGAIN))
    why = f"the HPA was able to successfully calculate a replica count from {found.metric}"
    pass_.say("ScalingActive", "True", "ValidMetricFound", why)
    outcome = scaling_rules.limit(
        found.replicas, pass_.spec, current=target.size, history=seen.history, now=seen.now
    )
    pass_.say("AbleToScale", "True", *outcome.able)
    pass_.say("ScalingLimited", str(outcome.is_limited), *outcome.limited)
    if outcome.replicas == target.size:
        pass_.put(desiredReplicas=target.size)
        return Decision((*pass_.status(), *told, _AGAIN), found.replicas)
    is_more = found.replicas > target.size
    reason = f"{found.metric} above target" if is_more else "All metrics below target"
    decision = _scaled(pass_, target, outcome.replicas, reason)
    return Decision((*told, *decision.actions), found.replicas, decision.size)


def _scaled(pass_: _Pass, target: _Target, size: int, why: str) -> Decision:
    """Ask for a size; what an earlier try was refused for is told before the next one."""
    refusal, autoscaler = pass_.seen.refusal, pass_.autoscaler
    if refusal:
        failed = f"the HPA controller was unable to update the target scale: {refusal}"
        pass_.say("AbleToScale", "False", "FailedUpdateScale", failed)
        text = f"New size: {size}; reason: {why}; error: {refusal}"
        event = actions.Event(autoscaler, "FailedRescale", text, "Warning")
        return Decision((*pass_.status(), event, target.resized(size), _AGAIN), size=size)
    done = f"the HPA controller was able to update the target scale to {size}"
    pass_.say("AbleToScale", "True", "SucceededRescale", done)
    pass_.put(desiredReplicas=size, lastScaleTime=conditions.format_time(pass_.seen.now))
    event = actions.Event(autoscaler, "SuccessfulRescale", f"New size: {size}; reason: {why}")
    return Decision((target.resized(size), event, *pass_.status(), _AGAIN), size=size)
