"""Pod rules: volumes, and what an update may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bookmesh.base.kubernetes import copy_json

Causes = Callable[..., list[tuple[str, str]]]
Obj = dict[str, Any]


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"volumes": [{"name": "a"}, {"name": "a"}]}, "spec.volumes[1].name", 'Duplicate value: "a"'),
        ({"volumes": [{"name": "A"}]}, "spec.volumes[0].name", 'Invalid value: "A"'),
        (
            {"volumes": [{"name": "a", "emptyDir": {}, "secret": {"secretName": "s"}}]},
            "spec.volumes[0].secret",
            "Forbidden: may not specify more than 1 volume type",
        ),
        (
            {"volumes": [{"name": "a", "ephemeral": {}}]},
            "spec.volumes[0].ephemeral.volumeClaimTemplate",
            "Required value",
        ),
        (
            {
                "volumes": [
                    {
                        "name": "a",
                        "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}},
                    }
                ]
            },
            "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]",
            "Required value",
        ),
        ({"volumes": [{"name": "a", "secret": {}}]}, "spec.volumes[0].secret.secretName", "Required value"),
        (
            {"volumes": [{"name": "a", "configMap": {"name": "c", "items": [{"key": "k", "path": "/x"}]}}]},
            "spec.volumes[0].configMap.items[0].path",
            'Invalid value: "/x": must be a relative path',
        ),
        (
            {"volumes": [{"name": "a", "configMap": {"name": "c", "items": [{"key": "k", "path": "../x"}]}}]},
            "spec.volumes[0].configMap.items[0].path",
            "Invalid value: \"../x\": must not contain '..'",
        ),
        ({"terminationGracePeriodSeconds": -1}, "spec.terminationGracePeriodSeconds", "Invalid value: -1"),
        ({"serviceAccountName": "A"}, "spec.serviceAccountName", 'Invalid value: "A"'),
        ({"nodeSelector": {"a": "b c"}}, "spec.nodeSelector", 'Invalid value: "b c"'),
        ({"hostname": "a.b"}, "spec.hostname", 'Invalid value: "a.b"'),
    ],
)
def test_a_bad_pod_is_refused(causes_of: Causes, pod: Obj, spec: Obj, field: str, message: str) -> None:
    pod["spec"] |= spec
    found = causes_of(pod)
    assert [each for each, _ in found] == [field]
    assert found[0][1].startswith(message)


def test_containers_are_needed(causes_of: Causes, pod: Obj) -> None:
    pod["spec"]["containers"] = []
    assert causes_of(pod) == [("spec.containers", "Required value")]


def test_a_node_is_chosen_once_and_images_may_change(causes_of: Causes, pod: Obj) -> None:
    bound = copy_json(pod)
    bound["spec"]["nodeName"] = "n"
    bound["spec"]["containers"][0]["image"] = "web:2"
    assert causes_of(bound, copy_json(pod)) == []
    moved = copy_json(bound)
    moved["spec"]["nodeName"] = "m"
    assert [field for field, _ in causes_of(moved, bound)] == ["spec"]


def test_other_changes_of_a_pod_are_forbidden(causes_of: Causes, pod: Obj) -> None:
    changed = copy_json(pod)
    changed["spec"]["containers"][0]["args"] = ["x"]
    ((field, message),) = causes_of(changed, pod)
    assert field == "spec"
    assert message.startswith(
        "Forbidden: pod updates may not change fields other than `spec.containers[*].image`"
    )
