"""JSON patch and merge patch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bookmesh.base.kubernetes import copy_json
from bookmesh.kube.schema import kinds, patching, schemas


@pytest.mark.parametrize(
    ("current", "patch", "expected"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": None}, {}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": {"e": None}}}, {"a": {"c": 2, "d": {}}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({}, {}, {}),
    ],
)
def test_a_merge_patch_merges(
    current: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]
) -> None:
    before = copy_json(current)
    assert patching.apply_merge_patch(current, patch) == expected
    assert current == before


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "add", "path": "/b", "value": 1}], {"a": {"x": 1}, "l": [1, 2], "b": 1}),
        ([{"op": "add", "path": "/l/0", "value": 0}], {"a": {"x": 1}, "l": [0, 1, 2]}),
        ([{"op": "add", "path": "/l/2", "value": 3}], {"a": {"x": 1}, "l": [1, 2, 3]}),
        ([{"op": "add", "path": "/l/-", "value": 3}], {"a": {"x": 1}, "l": [1, 2, 3]}),
        ([{"op": "remove", "path": "/a/x"}], {"a": {}, "l": [1, 2]}),
        ([{"op": "remove", "path": "/l/0"}], {"a": {"x": 1}, "l": [2]}),
        ([{"op": "replace", "path": "/l/1", "value": 9}], {"a": {"x": 1}, "l": [1, 9]}),
        ([{"op": "move", "from": "/a/x", "path": "/l/0"}], {"a": {}, "l": [1, 1, 2]}),
        ([{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"x": 1}, "l": [1, 2], "c": {"x": 1}}),
        ([{"op": "test", "path": "/a", "value": {"x": 1}}, {"op": "remove", "path": "/a"}], {"l": [1, 2]}),
        ([{"op": "add", "path": "/a/b~1c~0d", "value": 1}], {"a": {"x": 1, "b/c~d": 1}, "l": [1, 2]}),
        ([{"op": "replace", "path": "", "value": {"z": 1}}], {"z": 1}),
    ],
)
def test_a_json_patch_operates(operations: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    current = {"a": {"x": 1}, "l": [1, 2]}
    assert patching.apply_json_patch(current, operations) == expected
    assert current == {"a": {"x": 1}, "l": [1, 2]}


@pytest.mark.parametrize(
    "operations",
    [
        {"op": "add"},
        ["add"],
        [{"op": "add", "path": "b", "value": 1}],
        [{"op": "add", "path": "/b"}],
        [{"op": "add", "path": "/x/y", "value": 1}],
        [{"op": "add", "path": "/l/3", "value": 1}],
        [{"op": "add", "path": "/l/01", "value": 1}],
        [{"op": "add", "path": "/a/x/y", "value": 1}],
        [{"op": "remove", "path": "/none"}],
        [{"op": "remove", "path": "/l/-"}],
        [{"op": "remove", "path": ""}],
        [{"op": "replace", "path": "/none", "value": 1}],
        [{"op": "test", "path": "/a/x", "value": True}],
        [{"op": "test", "path": "/l", "value": [1, 3]}],
        [{"op": "move", "from": "/a", "path": "/a/b"}],
        [{"op": "move", "path": "/a/b"}],
        [{"op": "invent", "path": "/a"}],
        [{"op": "replace", "path": "", "value": [1]}],
    ],
)
def test_a_json_patch_that_does_not_fit_is_refused(operations: Any) -> None:
    with pytest.raises(patching.PatchError):
        patching.apply_json_patch({"a": {"x": 1}, "l": [1, 2]}, operations)


def test_a_patch_that_is_no_object_is_refused(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind]
) -> None:
    with pytest.raises(patching.PatchError):
        patching.apply_merge_patch({}, [1])
    with pytest.raises(patching.PatchError):
        patching.apply_strategic_merge_patch(loaded, kind_of("Pod"), {}, [1])
