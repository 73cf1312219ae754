"""Container rules, through pods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Causes = Callable[..., list[tuple[str, str]]]
Obj = dict[str, Any]


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"name": "A"}, "name", 'Invalid value: "A"'),
        ({"name": ""}, "name", "Required value"),
        ({"image": ""}, "image", "Required value"),
        ({"image": " x"}, "image", 'Invalid value: " x": must not have leading or trailing whitespace'),
        ({"restartPolicy": "Always"}, "restartPolicy", "Forbidden: may not be set for non-init containers"),
        (
            {"ports": [{"containerPort": 70000}]},
            "ports[0].containerPort",
            "Invalid value: 70000: must be between",
        ),
        ({"ports": [{"containerPort": 0}]}, "ports[0].containerPort", "Required value"),
        ({"ports": [{"containerPort": 1, "name": "UP"}]}, "ports[0].name", 'Invalid value: "UP"'),
        (
            {"ports": [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]},
            "ports[1].name",
            'Duplicate value: "a"',
        ),
        ({"env": [{"name": "A=B"}]}, "env[0].name", 'Invalid value: "A=B"'),
        (
            {"env": [{"name": "A", "valueFrom": {}}]},
            "env[0].valueFrom",
            'Invalid value: "": must specify one of',
        ),
        (
            {"env": [{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
            "env[0].valueFrom",
            'Invalid value: "": may not be specified when `value` is not empty',
        ),
        ({"envFrom": [{"prefix": "X"}]}, "envFrom[0]", 'Invalid value: "": must specify one of'),
        (
            {"volumeMounts": [{"name": "none", "mountPath": "/x"}]},
            "volumeMounts[0].name",
            'Not found: "none"',
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/x"}, {"name": "v", "mountPath": "/x"}]},
            "volumeMounts[1].mountPath",
            'Invalid value: "/x": must be unique',
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/x", "subPath": "../y"}]},
            "volumeMounts[0].subPath",
            "Invalid value: \"../y\": must not contain '..'",
        ),
        (
            {"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1500m"}}},
            "resources.requests",
            'Invalid value: "1500m": must be less than or equal to cpu limit of 1',
        ),
        (
            {"resources": {"requests": {"cpu": "-1"}}},
            "resources.requests[cpu]",
            'Invalid value: "-1": must be greater than or equal to 0',
        ),
        ({"livenessProbe": {}}, "livenessProbe", "Required value: must specify a handler type"),
        (
            {"livenessProbe": {"tcpSocket": {"port": 1}, "exec": {"command": ["x"]}}},
            "livenessProbe.tcpSocket",
            "Forbidden: may not specify more than 1 handler type",
        ),
        ({"livenessProbe": {"exec": {}}}, "livenessProbe.exec.command", "Required value"),
        (
            {"readinessProbe": {"httpGet": {"port": 0}}},
            "readinessProbe.httpGet.port",
            "Invalid value: 0: must be between 1 and 65535, inclusive",
        ),
        (
            {"startupProbe": {"tcpSocket": {"port": 1}, "successThreshold": 2}},
            "startupProbe.successThreshold",
            "Invalid value: 2: must be 1",
        ),
        (
            {"readinessProbe": {"tcpSocket": {"port": 1}, "periodSeconds": -1}},
            "readinessProbe.periodSeconds",
            "Invalid value: -1: must be greater than or equal to 0",
        ),
        ({"lifecycle": {"preStop": {}}}, "lifecycle.preStop", "Required value: must specify a handler type"),
    ],
)
def test_a_bad_container_is_refused(
    causes_of: Causes, pod: Obj, fields: Obj, field: str, message: str
) -> None:
    pod["spec"]["volumes"] = [{"name": "v"}]
    pod["spec"]["containers"][0] |= fields
    found = causes_of(pod)
    assert [each for each, _ in found] == [f"spec.containers[0].{field}"]
    assert found[0][1].startswith(message)


def test_names_are_unique_over_all_containers(causes_of: Causes, pod: Obj) -> None:
    pod["spec"]["initContainers"] = [{"name": "app", "image": "x:1"}]
    assert causes_of(pod) == [("spec.containers[0].name", 'Duplicate value: "app"')]


def test_only_sidecars_among_init_containers_have_probes(causes_of: Causes, pod: Obj) -> None:
    init = {"name": "i", "image": "x:1", "readinessProbe": {"tcpSocket": {"port": 1}}}
    pod["spec"]["initContainers"] = [init]
    assert [field for field, _ in causes_of(pod)] == ["spec.initContainers[0].readinessProbe"]
    init["restartPolicy"] = "Always"
    assert causes_of(pod) == []
    init["restartPolicy"] = "Never"
    assert causes_of(pod) == [
        ("spec.initContainers[0].restartPolicy", 'Unsupported value: "Never": supported values: "Always"')
    ]


def test_a_full_container_is_fine(causes_of: Causes, pod: Obj) -> None:
    pod["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]
    pod["spec"]["containers"][0] |= {
        "ports": [{"containerPort": 80, "name": "http"}],
        "env": [
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "B", "value": ""},
        ],
        "envFrom": [{"secretRef": {"name": "s"}}],
        "volumeMounts": [{"name": "v", "mountPath": "/x", "subPath": "a/b"}],
        "resources": {"limits": {"memory": "1Gi"}, "requests": {"memory": "512Mi", "cpu": "1m"}},
        "livenessProbe": {"httpGet": {"port": "http"}},
        "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
    }
    assert causes_of(pod) == []
