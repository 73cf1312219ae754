"""The `metrics` of an autoscaler: what each of them asks for, which of them counts, and what cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import replica_proposals


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a metric says nothing; `summary` is how it is told where several are counted."""

    reason: str
    cause: str
    summary: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """
    What all metrics say together.

    Attributes:
        replicas: the largest proposal; None when it may not be followed, because of `failures`.
        metric: the name of the metric it comes from.
        statuses: `currentMetrics`, one for each specification, also for those that failed.
    """

    replicas: int | None
    metric: str
    statuses: tuple[JsonObject, ...]
    failures: tuple[Failure, ...]

    @property
    def summary(self) -> str:
        """The failures in one sentence; there is at least one."""
        return (
            f"invalid metrics ({len(self.failures)} invalid out of {max(1, len(self.statuses))}), "
            f"first error is: {self.failures[0].summary}"
        )


_NO_STATUS: Final[JsonObject] = {"type": ""}
_SOURCES: Final = {"Resource": "resource", "ContainerResource": "containerResource"}


def evaluate(
    specifications: Sequence[JsonObject],
    *,
    namespace: str,
    has_selector: bool,
    current: int,
    selected: Sequence[JsonObject],
    metrics: Sequence[JsonObject] | None,
    metrics_error: str,
    now: datetime,
) -> Evaluation:
    """Ask every metric; the largest proposal counts, but pods are not taken away while a metric is missing."""
    if not has_selector:
        cause = "the HPA target's scale is missing a selector"
        return Evaluation(None, "", (), (Failure("InvalidSelector", cause, "selector is required"),))
    best: tuple[int, str] | None = None
    statuses: list[JsonObject] = []
    failures: list[Failure] = []
    for specification in specifications:
        source = _SOURCES.get(specification["type"])
        if source is None:
            statuses.append(_NO_STATUS)
            failures.append(_unknown_metric(specification, namespace))
            continue
        entry = specification[source]
        resource, container = entry["name"], entry.get("container", "")
        try:
            if metrics is None:
                raise replica_proposals.MetricError(
                    f"unable to get metrics for resource {resource}: "
                    f"unable to fetch metrics from resource metrics API: {metrics_error}"
                )
            proposal = replica_proposals.propose(
                replica_proposals.Target(resource, container, entry["target"]),
                current=current,
                selected=selected,
                metrics=metrics,
                now=now,
            )
        except replica_proposals.MetricError as error:
            statuses.append(_NO_STATUS)
            failures.append(_failed(specification["type"], resource, str(error)))
            continue
        named = {"name": resource, "container": container} if container else {"name": resource}
        statuses.append({"type": specification["type"], source: {**named, "current": proposal.current}})
        if best is None or proposal.replicas > best[0]:
            best = proposal.replicas, _metric_name(resource, entry["target"])
    if best is None or (failures and best[0] < current):
        return Evaluation(None, "", tuple(statuses), tuple(failures))
    return Evaluation(*best, tuple(statuses), tuple(failures))


def _metric_name(resource: str, target: JsonObject) -> str:
    if "averageValue" in target:
        return f"{resource} resource"
    return f"{resource} resource utilization (percentage of request)"


def _failed(kind: str, resource: str, error: str) -> Failure:
    cause = f"failed to get {resource} utilization: {error}"
    if kind == "ContainerResource":
        summary = f"failed to get {resource} container resource metric value: {cause}"
        return Failure("FailedGetContainerResourceMetric", cause, summary)
    return Failure(
        "FailedGetResourceMetric", cause, f"failed to get {resource} resource metric value: {cause}"
    )


def _unknown_metric(specification: JsonObject, namespace: str) -> Failure:
    """What a cluster says that has nothing installed that would serve such metrics."""
    kind = specification["type"]
    entry = specification.get(kind.lower()) or {}
    name = (entry.get("metric") or {}).get("name", "")
    custom = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"
    if kind == "Pods":
        cause = f"unable to get metric {name}: {custom}"
        return Failure("FailedGetPodsMetric", cause, f"failed to get pods metric value: {cause}")
    if kind == "Object":
        described = entry.get("describedObject") or {}
        place = f"{described.get('kind', '')} on {namespace} {described.get('name', '')}"
        cause = f"unable to get metric {name}: {place}/{custom}"
        return Failure(
            "FailedGetObjectMetric",
            cause,
            f"failed to get object metric value: failed to get {name} object metric: {cause}",
        )
    missing = f"the server could not find the requested resource (get {name}.external.metrics.k8s.io)"
    cause = (
        f"unable to get external metric {namespace}/{name}/nil: "
        f"unable to fetch metrics from external metrics API: {missing}"
    )
    return Failure(
        "FailedGetExternalMetric",
        cause,
        f"failed to get {name} external metric value: failed to get {name} external metric: {cause}",
    )
