"""HorizontalPodAutoscalers; what is refused here a real server refused in these words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Causes = Callable[..., list[tuple[str, str]]]
Obj = dict[str, Any]
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
}


def autoscaler(*metrics: Obj, version: str = "v2", **spec: Any) -> Obj:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {
        "apiVersion": f"autoscaling/{version}",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": reference,
            "maxReplicas": 5,
            **({"metrics": list(metrics)} if metrics else {}),
            **spec,
        },
    }


def metric(kind: str, field: str, target: Obj, **source: Any) -> Obj:
    return {"type": kind, field: {**source, "target": target}}


NAMED = {"metric": {"name": "x"}}
EXTERNAL = metric("External", "external", {"type": "Value", "value": "3"}, **NAMED)
ONE_OF_THREE = "must be either Utilization, Value, or AverageValue"


@pytest.mark.parametrize(
    "obj",
    [
        autoscaler(),
        autoscaler(version="v1", targetCPUUtilizationPercentage=40, minReplicas=2),
        autoscaler(CPU, minReplicas=5),
        autoscaler(EXTERNAL, minReplicas=0),
        autoscaler(metric("Pods", "pods", {"type": "AverageValue", "averageValue": "1"}, **NAMED)),
        autoscaler(behavior={"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}]}}),
    ],
)
def test_good_ones(causes_of: Causes, obj: Obj) -> None:
    assert causes_of(obj) == []


def source(kind: str, field: str, **fields: Any) -> tuple[Obj, str]:
    return {"type": kind, field: fields}, f"spec.metrics[0].{field}"


@pytest.mark.parametrize(
    ("obj", "field", "message"),
    [
        (
            autoscaler(minReplicas=7),
            "spec.maxReplicas",
            "Invalid value: 5: must be greater than or equal to `minReplicas`",
        ),
        (
            autoscaler(minReplicas=-1),
            "spec.minReplicas",
            "Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            autoscaler(CPU, minReplicas=0),
            "spec.metrics",
            "Forbidden: must specify at least one Object or External metric to support scaling to zero replicas",
        ),
        (
            autoscaler(scaleTargetRef={"kind": "Deployment", "name": ""}),
            "spec.scaleTargetRef.name",
            "Required value",
        ),
        (
            autoscaler({"type": "Resource"}),
            "spec.metrics[0].resource",
            "Required value: must populate information for the given metric source",
        ),
        (
            autoscaler({"type": "x"}),
            "spec.metrics[0].type",
            'Unsupported value: "x": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
        ),
        (
            autoscaler(metric("Resource", "resource", {"type": "Utilization"}, name="cpu")),
            "spec.metrics[0].resource.target.averageUtilization",
            "Required value: must set either a target raw value or a target utilization",
        ),
        (
            autoscaler(
                metric("Resource", "resource", {"type": "Utilization", "averageUtilization": 0}, name="cpu")
            ),
            "spec.metrics[0].resource.target.averageUtilization",
            "Invalid value: 0: must be greater than 0",
        ),
        (
            autoscaler(metric("Pods", "pods", {"type": "x", "averageValue": "1"}, **NAMED)),
            "spec.metrics[0].pods.target.type",
            f'Invalid value: "x": {ONE_OF_THREE}',
        ),
        (
            autoscaler(metric("Pods", "pods", {"type": "AverageValue"}, **NAMED)),
            "spec.metrics[0].pods.target.averageValue",
            "Required value: must specify a positive target averageValue",
        ),
        (
            autoscaler(metric("External", "external", {"type": "Value", "value": "-1"}, **NAMED)),
            "spec.metrics[0].external.target.value",
            'Invalid value: "-1": must be positive',
        ),
        (
            autoscaler(metric("External", "external", {"type": "Value", "value": "1"}, metric={"name": ""})),
            "spec.metrics[0].external.metric.name",
            "Required value: must specify a metric name",
        ),
        (
            autoscaler(
                metric(
                    "ContainerResource", "containerResource", {"type": "Value", "averageValue": 1}, name="cpu"
                )
            ),
            "spec.metrics[0].containerResource.container",
            "Required value: must specify a container",
        ),
        (
            autoscaler(behavior={"scaleDown": {"policies": []}}),
            "spec.behavior.scaleDown.policies",
            "Required value: must specify at least one Policy",
        ),
    ],
)
def test_wrong_ones(causes_of: Causes, obj: Obj, field: str, message: str) -> None:
    assert causes_of(obj) == [(field, message)]


def test_an_object_is_named_and_compared(causes_of: Causes) -> None:
    wrong = metric("Object", "object", {"type": ""}, describedObject={}, **NAMED)
    place = "spec.metrics[0].object"
    assert causes_of(autoscaler(wrong)) == [
        (f"{place}.describedObject.kind", "Required value"),
        (f"{place}.describedObject.name", "Required value"),
        (f"{place}.target.type", "Required value: must specify a metric target type"),
        (f"{place}.target.type", f'Invalid value: "": {ONE_OF_THREE}'),
        (
            f"{place}.target.averageValue",
            "Required value: must set either a target value or averageValue",
        ),
    ]


def test_behavior_has_bounds(causes_of: Causes) -> None:
    policy = {"type": "x", "value": 0, "periodSeconds": 1801}
    rules = {"stabilizationWindowSeconds": 3601, "selectPolicy": "x", "policies": [policy]}
    place = "spec.behavior.scaleUp"
    assert causes_of(autoscaler(behavior={"scaleUp": rules})) == [
        (
            f"{place}.stabilizationWindowSeconds",
            "Invalid value: 3601: must be less than or equal to 3600",
        ),
        (f"{place}.selectPolicy", 'Unsupported value: "x": supported values: "Disabled", "Max", "Min"'),
        (f"{place}.policies[0].type", 'Unsupported value: "x": supported values: "Percent", "Pods"'),
        (f"{place}.policies[0].value", "Invalid value: 0: must be greater than zero"),
        (
            f"{place}.policies[0].periodSeconds",
            "Invalid value: 1801: must be less than or equal to 1800",
        ),
    ]


@pytest.mark.parametrize(
    ("most", "message"),
    [(-1, "Invalid value: -1: must be greater than or equal to 1"), (0, "Required value")],
)
def test_there_must_be_room_for_a_replica(causes_of: Causes, most: int, message: str) -> None:
    less = f"Invalid value: {most}: must be greater than or equal to `minReplicas`"
    field = "spec.maxReplicas"
    assert causes_of(autoscaler(maxReplicas=most)) == [(field, message), (field, less)]
