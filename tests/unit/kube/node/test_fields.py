from __future__ import annotations

import pytest

from bookmesh.kube.node import fields

POD = {
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "uid": "u-1",
        "labels": {"app": "web", "a.example.com/x": 'quo"te'},
        "annotations": {"note": "two\nlines"},
    },
    "spec": {
        "nodeName": "n1",
        "serviceAccountName": "clerk",
        "containers": [
            {
                "name": "c",
                "resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}, "requests": {"cpu": "10m"}},
            },
            {"name": "bare"},
        ],
    },
    "status": {
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}],
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
    },
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "web"),
        ("metadata.namespace", "shop"),
        ("metadata.uid", "u-1"),
        ("metadata.labels['app']", "web"),
        ("metadata.labels['missing']", ""),
        ("metadata.annotations['note']", "two\nlines"),
        ("metadata.labels", 'a.example.com/x="quo\\"te"\napp="web"'),
        ("metadata.annotations", 'note="two\\nlines"'),
        ("spec.nodeName", "n1"),
        ("spec.serviceAccountName", "clerk"),
        ("status.podIP", "10.0.0.1"),
        ("status.podIPs", "10.0.0.1"),
        ("status.hostIP", "127.0.0.1"),
        ("status.hostIPs", "127.0.0.1"),
    ],
)
def test_fields_of_the_pod(path: str, value: str) -> None:
    assert fields.field_value(POD, path) == value


def test_any_other_field_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unsupported fieldPath: spec\.containers"):
        fields.field_value(POD, "spec.containers")


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ({"resource": "limits.cpu"}, "2"),
        ({"resource": "limits.cpu", "divisor": "1m"}, "1500"),
        ({"resource": "requests.cpu", "divisor": "1m"}, "10"),
        ({"resource": "limits.memory", "divisor": "1Mi"}, "64"),
        ({"resource": "requests.memory"}, "0"),
        ({"resource": "limits.cpu", "containerName": "bare"}, "4"),
        ({"resource": "limits.cpu", "divisor": "0"}, "2"),
    ],
)
def test_resources_of_a_container(reference: dict[str, str], value: str) -> None:
    assert fields.resource_value(POD, reference, container="c", allocatable={"cpu": "4"}) == value


def test_resources_of_an_unknown_container_or_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="container x not found"):
        fields.resource_value(
            POD, {"resource": "limits.cpu", "containerName": "x"}, container=None, allocatable={}
        )
    with pytest.raises(ValueError, match="unsupported container resource : cpu"):
        fields.resource_value(POD, {"resource": "cpu"}, container="c", allocatable={})
