"""Nodes: references, overlays, patterns."""

from __future__ import annotations

import re

import pytest

from bookmesh.kube.schema import nodes

DEFINITIONS = {
    "a.Target": {"type": "object", "properties": {"x": {"type": "string"}}, "description": "of the target"},
}


def node(source: dict[str, object]) -> nodes.Node:
    return nodes.resolve(source, definition)


def definition(name: str) -> nodes.Node:
    return nodes.Node(DEFINITIONS[name], definition)


@pytest.mark.parametrize(
    "source",
    [
        {"$ref": "#/components/schemas/a.Target"},
        {"allOf": [{"$ref": "#/components/schemas/a.Target"}], "description": "of the field"},
        {"allOf": [{"$ref": "#/components/schemas/a.Target"}], "x-kubernetes-patch-merge-key": "x"},
    ],
)
def test_a_reference_leads_to_its_target(source: dict[str, object]) -> None:
    child = node(source).child("x")
    assert child is not None
    assert child.type == "string"
    assert nodes.reference_of(source) == "a.Target"


def test_what_a_field_adds_to_a_definition_is_there() -> None:
    reference = {"$ref": "#/components/schemas/a.Target"}
    assert node({"allOf": [reference], "x-kubernetes-patch-merge-key": "x"}).patch_merge_key == "x"
    assert node({"allOf": [reference], "default": {}}).default == {}
    assert node({"allOf": [reference]}).default is None


def test_all_of_with_more_than_a_reference_is_a_constraint() -> None:
    both = node({"type": "string", "allOf": [{"minLength": 1}, {"maxLength": 2}]})
    assert (both.type, len(both.all_of)) == ("string", 2)


@pytest.mark.parametrize(
    ("source", "is_open"),
    [
        ({"type": "object"}, True),
        ({"type": "object", "additionalProperties": True}, True),
        ({"type": "object", "additionalProperties": {"type": "string"}}, False),
        ({"type": "object", "properties": {"a": {}}}, False),
        ({"type": "object", "properties": {"a": {}}, "x-kubernetes-preserve-unknown-fields": True}, True),
    ],
)
def test_a_node_is_open_when_it_keeps_what_it_does_not_name(source: dict[str, object], is_open: bool) -> None:
    assert node(source).is_open is is_open


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        (r"^a\$", "a$", True),
        (r"^a\\$", "a\\", True),
        (r"^a\z", "a", True),
        (r"^a\z", "a\n", False),
        ("a|b$", "xa", True),
    ],
)
def test_patterns_mean_what_they_mean_in_go(pattern: str, text: str, is_match: bool) -> None:
    assert (nodes.compile_pattern(pattern).search(text) is not None) is is_match


def test_a_broken_pattern_is_an_error() -> None:
    with pytest.raises(re.error):
        nodes.compile_pattern("(")
