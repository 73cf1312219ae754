"""Which of an autoscaler's metrics counts, and what cannot be had."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import metric_specifications

NOW = datetime.datetime(2026, 8, 1, 12, tzinfo=datetime.UTC)


def _resource(name: str, **target: Any) -> JsonObject:
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def _evaluate(*specifications: JsonObject, **options: Any) -> metric_specifications.Evaluation:
    pod = {
        "metadata": {"name": "a"},
        "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "100m"}}}]},
        "status": {
            "phase": "Running",
            "startTime": "2026-08-01T10:00:00Z",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-08-01T10:00:00Z"}],
        },
    }
    metric = {
        "metadata": {"name": "a", "namespace": "n"},
        "timestamp": "2026-08-01T11:59:59Z",
        "window": "5.000s",
        "containers": [{"name": "c", "usage": {"cpu": "200m", "memory": "3Mi"}}],
    }
    return metric_specifications.evaluate(
        specifications,
        namespace="n",
        has_selector=options.get("has_selector", True),
        current=options.get("current", 1),
        selected=[pod],
        metrics=[metric],
        metrics_error="",
        now=NOW,
    )


def test_the_metric_that_asks_for_most_counts() -> None:
    found = _evaluate(_resource("cpu", averageUtilization=100), _resource("memory", averageValue="1Mi"))
    assert (found.replicas, found.metric) == (3, "memory resource")
    assert [status["resource"]["name"] for status in found.statuses] == ["cpu", "memory"]


@pytest.mark.parametrize(
    ("specification", "reason", "cause"),
    [
        (
            {"type": "Pods", "pods": {"metric": {"name": "m"}}},
            "FailedGetPodsMetric",
            "unable to get metric m: unable to fetch metrics from custom metrics API: "
            "no custom metrics API (custom.metrics.k8s.io) registered",
        ),
        (
            {
                "type": "Object",
                "object": {"metric": {"name": "m"}, "describedObject": {"kind": "Ingress", "name": "i"}},
            },
            "FailedGetObjectMetric",
            "unable to get metric m: Ingress on n i/unable to fetch metrics from custom metrics API: "
            "no custom metrics API (custom.metrics.k8s.io) registered",
        ),
        (
            {"type": "External", "external": {"metric": {"name": "m"}}},
            "FailedGetExternalMetric",
            "unable to get external metric n/m/nil: unable to fetch metrics from external metrics API: "
            "the server could not find the requested resource (get m.external.metrics.k8s.io)",
        ),
        (
            {
                "type": "ContainerResource",
                "containerResource": {"name": "cpu", "container": "x", "target": {"averageUtilization": 1}},
            },
            "FailedGetContainerResourceMetric",
            "failed to get cpu utilization: unable to get metrics for resource cpu: failed to get container "
            "metrics: container x not present in metrics for pod n/a",
        ),
    ],
)
def test_what_cannot_be_had_is_said_as_on_a_cluster(
    specification: JsonObject, reason: str, cause: str
) -> None:
    found = _evaluate(specification)
    assert found.replicas is None
    assert [(failure.reason, failure.cause) for failure in found.failures] == [(reason, cause)]
    assert found.summary.startswith("invalid metrics (1 invalid out of 1), first error is: failed to get ")


def test_a_missing_metric_does_not_keep_from_growing() -> None:
    custom = {"type": "Pods", "pods": {"metric": {"name": "m"}}}
    found = _evaluate(custom, _resource("cpu", averageUtilization=100))
    assert found.replicas == 2
    assert len(found.failures) == 1
    assert _evaluate(custom, _resource("cpu", averageUtilization=400), current=2).replicas is None


def test_a_target_without_selector_has_no_metrics() -> None:
    found = _evaluate(_resource("cpu", averageUtilization=100), has_selector=False)
    assert found.failures[0].reason == "InvalidSelector"
