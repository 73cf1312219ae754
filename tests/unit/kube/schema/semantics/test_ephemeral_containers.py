"""What joins a pod that is there already, and stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bookmesh.base.kubernetes import copy_json

Causes = Callable[..., list[tuple[str, str]]]
Obj = dict[str, Any]
NOT_THEIRS = "Forbidden: cannot be set for an Ephemeral Container"


def joined(pod: Obj, *containers: Obj) -> Obj:
    changed: Obj = copy_json(pod)
    changed["spec"]["ephemeralContainers"] = list(containers)
    return changed


def test_they_cannot_be_there_from_the_start(causes_of: Causes, pod: Obj) -> None:
    found = causes_of(joined(pod, {"name": "look", "image": "app"}))
    assert found == [("spec.ephemeralContainers", "Forbidden: cannot be set on create")]


@pytest.mark.parametrize(
    ("container", "field", "message"),
    [
        ({"name": "", "image": "app"}, "name", "Required value"),
        ({"name": "look"}, "image", "Required value"),
        ({"name": "A", "image": "app"}, "name", 'Invalid value: "A"'),
        ({"name": "look", "image": "app", "ports": [{"containerPort": 1}]}, "ports", NOT_THEIRS),
        ({"name": "look", "image": "app", "resources": {"limits": {"cpu": "1"}}}, "resources", NOT_THEIRS),
        ({"name": "look", "image": "app", "readinessProbe": {"exec": {}}}, "readinessProbe", NOT_THEIRS),
        (
            {"name": "look", "image": "app", "targetContainerName": "x"},
            "targetContainerName",
            'Not found: "x"',
        ),
        (
            {
                "name": "look",
                "image": "app",
                "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "s"}],
            },
            "volumeMounts[0].subPath",
            NOT_THEIRS,
        ),
    ],
)
def test_one_that_is_wrong(causes_of: Causes, pod: Obj, container: Obj, field: str, message: str) -> None:
    ((place, text),) = causes_of(joined(pod, container), pod)
    assert place == f"spec.ephemeralContainers[0].{field}"
    assert text.startswith(message)


def test_names_are_taken_once_in_the_whole_pod(causes_of: Causes, pod: Obj) -> None:
    name = pod["spec"]["containers"][0]["name"]
    one = {"name": name, "image": "app"}
    two = {"name": "look", "image": "app"}
    fields = [field for field, _ in causes_of(joined(pod, one, two, two), pod)]
    assert fields == ["spec.ephemeralContainers[0].name", "spec.ephemeralContainers[2].name"]


def test_those_that_are_there_stay_as_they_are(causes_of: Causes, pod: Obj) -> None:
    target = pod["spec"]["containers"][0]["name"]
    first = {"name": "look", "image": "app", "targetContainerName": target}
    before = joined(pod, first)
    assert causes_of(before, pod) == []
    assert causes_of(joined(pod, first, {"name": "more", "image": "app"}), before) == []
    place = "spec.ephemeralContainers"
    gone = 'Forbidden: existing ephemeral containers "look" may not be removed'
    assert causes_of(joined(pod), before) == [(place, gone)]
    changed = 'Forbidden: existing ephemeral containers "look" may not be changed'
    assert causes_of(joined(pod, {**first, "image": "other"}), before) == [(place, changed)]
