"""An autoscaler in both of its versions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import conversions


def _autoscaler(version: str, spec: JsonObject, **more: Any) -> JsonObject:
    return {
        "apiVersion": f"autoscaling/{version}",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", **more.pop("metadata", {})},
        "spec": {"maxReplicas": 3, **spec},
        **more,
    }


CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
}
MEMORY = {
    "type": "Resource",
    "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
}
MEASURED = {
    "type": "Resource",
    "resource": {"name": "cpu", "current": {"averageUtilization": 7, "averageValue": "7m"}},
}


def test_the_share_of_the_processor_is_a_field_of_version_1() -> None:
    old = _autoscaler("v1", {"targetCPUUtilizationPercentage": 60})
    new = _autoscaler("v2", {"metrics": [CPU]})
    assert conversions.convert(old, "autoscaling/v2") == new
    assert conversions.convert(new, "autoscaling/v1") == old


@pytest.mark.parametrize("metrics", [[CPU, MEMORY], [MEMORY]])
def test_what_version_1_has_no_field_for_survives_it(metrics: list[JsonObject]) -> None:
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 5}}
    status = {"currentReplicas": 1, "currentMetrics": [MEASURED], "conditions": [{"type": "AbleToScale"}]}
    annotations = {"annotations": {"mine": "stays"}}
    new = _autoscaler("v2", {"metrics": metrics, "behavior": behavior}, metadata=annotations, status=status)
    old = conversions.convert(new, "autoscaling/v1")
    assert old["status"] == {"currentReplicas": 1, "currentCPUUtilizationPercentage": 7}
    assert set(old["spec"]) <= {"maxReplicas", "targetCPUUtilizationPercentage"}
    kept = old["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/behavior"]
    assert json.loads(kept) == behavior
    assert conversions.convert(old, "autoscaling/v2") == new


def test_an_annotation_that_is_no_json_counts_as_none() -> None:
    metadata = {"annotations": {"autoscaling.alpha.kubernetes.io/metrics": "{"}}
    new = conversions.convert(_autoscaler("v1", {}, metadata=metadata), "autoscaling/v2")
    assert new == _autoscaler("v2", {})


def test_other_kinds_differ_in_their_version_alone() -> None:
    obj = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x"}}
    assert conversions.convert(obj, "example.com/v2") == {**obj, "apiVersion": "example.com/v2"}
    assert conversions.convert(obj, "example.com/v1") is obj
