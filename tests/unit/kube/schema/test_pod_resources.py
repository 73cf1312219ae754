"""What a pod as a whole asks for."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import pod_resources


def _container(cpu: str, **more: Any) -> JsonObject:
    return {"name": "c", "resources": {"requests": {"cpu": cpu}}, **more}


SIDECAR = _container("100m", restartPolicy="Always")


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": [_container("1"), _container("500m")]}, "1500m"),
        ({"containers": [_container("1")], "initContainers": [_container("2")]}, "2"),
        ({"containers": [_container("1")], "initContainers": [SIDECAR]}, "1100m"),
        ({"containers": [_container("1")], "initContainers": [SIDECAR, _container("2")]}, "2100m"),
        ({"containers": [_container("1")], "initContainers": [_container("2"), SIDECAR]}, "2"),
        ({"containers": [_container("1")], "overhead": {"cpu": "50m"}}, "1050m"),
    ],
)
def test_requests_are_those_of_the_worst_moment(spec: JsonObject, cpu: str) -> None:
    assert str(pod_resources.of_pod(spec, "requests")["cpu"]) == cpu


def test_a_pod_that_asks_for_nothing_needs_nothing() -> None:
    assert pod_resources.of_pod({"containers": [{"name": "c"}]}, "limits") == {}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_quality_of_service(resources: JsonObject, expected: str) -> None:
    assert pod_resources.quality_of_service({"containers": [{"resources": resources}]}) == expected
