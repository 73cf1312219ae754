"""anyOf, oneOf, allOf and not, with the value constraints that may stand in them."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.schema import alternatives, nodes


def node(source: dict[str, Any]) -> nodes.Node:
    def no_definitions(name: str) -> nodes.Node:
        raise KeyError(name)

    return nodes.Node(source, no_definitions)


@pytest.mark.parametrize(
    ("schema", "value", "is_valid"),
    [
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"b": 1}, True),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, False),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1}, False),
        (
            {"oneOf": [{"properties": {"x": {"enum": ["1"]}}}, {"properties": {"x": {"enum": ["2"]}}}]},
            {"x": "2"},
            True,
        ),
        (
            {"oneOf": [{"properties": {"x": {"enum": ["1"]}}}, {"properties": {"x": {"enum": ["2"]}}}]},
            {"x": "3"},
            False,
        ),
        ({"allOf": [{"maxLength": 3}, {"pattern": "^a"}]}, "ab", True),
        ({"allOf": [{"maxLength": 3}, {"pattern": "^a"}]}, "b", False),
        ({"not": {"required": ["a"]}}, {"a": 1}, False),
        ({"not": {"required": ["a"]}}, {}, True),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "x", True),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, True, False),
        ({"anyOf": [{"minimum": 5}, {"maximum": 1}]}, 3, False),
        ({"anyOf": [{"minItems": 2}]}, [1], False),
        ({"anyOf": [{"properties": {"list": {"items": {"pattern": "^a"}}}}]}, {"list": ["b"]}, False),
        ({"anyOf": [{"oneOf": [{"required": ["a"]}]}]}, {"a": 1}, True),
    ],
)
def test_a_value_is_judged_by_its_alternatives(schema: dict[str, Any], value: Any, is_valid: bool) -> None:
    assert (alternatives.check(node(schema), value, "spec") == []) is is_valid
