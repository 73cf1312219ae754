"""Kubernetes' arithmetic: pods, requests and metrics to a number of replicas."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import conditions, replica_proposals
from bookmesh.kube.controllers.replica_proposals import MetricError, Proposal, Target

NOW = datetime.datetime(2026, 8, 1, 12, tzinfo=datetime.UTC)
HALF = Target("cpu", "", {"type": "Utilization", "averageUtilization": 50})


def _ago(seconds: float) -> str:
    return conditions.format_time(NOW - datetime.timedelta(seconds=seconds))


def _pod(
    name: str,
    *,
    phase: str = "Running",
    ready: bool = True,
    age_s: float = 3600,
    changed_s: float = 3500,
    request: str | None = "100m",
) -> JsonObject:
    resources = {"requests": {"cpu": request, "memory": "1Mi"}} if request else {}
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": _ago(changed_s),
    }
    return {
        "metadata": {"name": name, "namespace": "n"},
        "spec": {"containers": [{"name": "c", "resources": resources}]},
        "status": {"phase": phase, "startTime": _ago(age_s), "conditions": [condition]},
    }


def _metrics(**cpu: str) -> list[JsonObject]:
    return [
        {
            "metadata": {"name": name, "namespace": "n"},
            "timestamp": _ago(2),
            "window": "5.000s",
            "containers": [{"name": "c", "usage": {"cpu": amount, "memory": "1536Ki"}}],
        }
        for name, amount in cpu.items()
    ]


def _propose(
    selected: list[JsonObject], metrics: list[JsonObject], wanted: Target = HALF, **options: Any
) -> Proposal:
    current = options.get("current", len(selected))
    return replica_proposals.propose(wanted, current=current, selected=selected, metrics=metrics, now=NOW)


def test_the_share_of_the_requests_is_brought_to_its_target() -> None:
    proposal = _propose([_pod("a"), _pod("b")], _metrics(a="100m", b="60m"))
    assert proposal == Proposal(4, {"averageUtilization": 80, "averageValue": "80m"})


@pytest.mark.parametrize(("used", "replicas"), [("54m", 2), ("46m", 2), ("56m", 3), ("20m", 1)])
def test_a_tenth_around_the_target_changes_nothing(used: str, replicas: int) -> None:
    assert _propose([_pod("a"), _pod("b")], _metrics(a=used, b=used)).replicas == replicas


def test_an_average_value_is_compared_by_itself() -> None:
    wanted = Target("memory", "", {"type": "AverageValue", "averageValue": "1Mi"})
    proposal = _propose([_pod("a", request=None)], _metrics(a="1m"), wanted)
    assert proposal == Proposal(2, {"averageValue": "1572864"})


def test_pods_without_metrics_count_as_idle_on_the_way_up() -> None:
    pods = [_pod("a"), _pod("b"), _pod("c")]
    assert _propose(pods, _metrics(a="200m")).replicas == 4


def test_pods_without_metrics_count_as_fully_used_on_the_way_down() -> None:
    pods = [_pod("a"), _pod("b"), _pod("c"), _pod("d")]
    assert _propose(pods, _metrics(a="10m", b="10m", c="10m")).replicas == 3
    assert _propose(pods, _metrics(a="10m", b="10m")).replicas == 4


def test_a_pod_that_has_just_become_ready_is_measured_after_a_whole_window() -> None:
    starting = _pod("b", age_s=20, changed_s=4)
    assert _propose([_pod("a"), starting], _metrics(a="100m", b="100m")).replicas == 2
    settled = _pod("b", age_s=20, changed_s=8)
    assert _propose([_pod("a"), settled], _metrics(a="100m", b="100m")).replicas == 4


def test_a_pod_that_was_never_ready_does_not_make_more_pods() -> None:
    never = _pod("b", ready=False, age_s=400, changed_s=390)
    assert _propose([_pod("a"), never], _metrics(a="100m", b="500m")).replicas == 2


def test_pods_that_end_or_failed_do_not_count() -> None:
    ending = _pod("b")
    ending["metadata"]["deletionTimestamp"] = _ago(1)
    pods = [_pod("a"), ending, _pod("c", phase="Failed")]
    assert _propose(pods, _metrics(a="100m", b="900m"), current=1).replicas == 2


def test_one_container_may_be_what_counts() -> None:
    pod, metrics = _pod("a"), _metrics(a="10m")
    pod["spec"]["containers"].append({"name": "other", "resources": {"requests": {"cpu": "10m"}}})
    metrics[0]["containers"].append({"name": "other", "usage": {"cpu": "20m", "memory": "1Mi"}})
    wanted = Target("cpu", "other", HALF.target)
    assert _propose([pod], metrics, wanted).replicas == 4
    with pytest.raises(MetricError, match="container none not present in metrics for pod n/a"):
        _propose([pod], metrics, Target("cpu", "none", HALF.target))


@pytest.mark.parametrize(
    ("pods", "metrics", "text"),
    [
        ([_pod("a")], [], "unable to get metrics for resource cpu: no metrics returned from resource metrics API"),
        ([], _metrics(a="1m"), "no pods returned by selector while calculating replica count"),
        ([_pod("b")], _metrics(a="1m"), "did not receive metrics for any ready pods"),
        ([_pod("a", request=None)], _metrics(a="1m"), "missing request for cpu in container c of Pod a"),
        ([_pod("a", request="0")], _metrics(a="1m"), "no metrics returned matched known pods"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_said(
    pods: list[JsonObject], metrics: list[JsonObject], text: str
) -> None:
    with pytest.raises(MetricError) as error:
        _propose(pods, metrics)
    assert str(error.value) == text


@pytest.mark.parametrize(("amount", "text"), [(153, "153m"), (2000, "2"), (20480000000, "20480k"), (0, "0")])
def test_thousandths_are_written_as_quantities(amount: int, text: str) -> None:
    assert replica_proposals.format_milli(amount) == text
