"""Values as rules see them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from bookmesh.kube.schema import nodes, rule_values


def node(**source: Any) -> nodes.Node:
    return nodes.Node(source, lambda name: pytest.fail(name))


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ({"type": "number"}, 1, 1.0),
        ({"type": "number"}, True, True),
        ({"type": "string", "format": "duration"}, "90s", datetime.timedelta(seconds=90)),
        ({"type": "string", "format": "duration"}, "soon", "soon"),
        (
            {"type": "string", "format": "date"},
            "2026-01-02",
            datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
        ),
        ({"type": "string", "format": "byte"}, "YQ==", b"a"),
        ({"type": "array", "items": {"type": "number"}}, [1], [1.0]),
        ({"type": "object", "additionalProperties": {"type": "number"}}, {"a-b": 1}, {"a-b": 1.0}),
    ],
)
def test_types(source: dict[str, Any], value: Any, expected: Any) -> None:
    found = rule_values.value_for(node(**source), value)
    assert (found, type(found)) == (expected, type(expected))


def test_what_needs_no_other_type_is_not_copied() -> None:
    value = {"a": ["b"]}
    items = {"type": "array", "items": {"type": "string"}}
    assert rule_values.value_for(node(type="object", properties={"a": items}), value) is value


def test_fields_that_the_schema_does_not_know_are_not_seen() -> None:
    text = {"type": "string"}
    open_node = node(type="object", properties={"a": text}, **{"x-kubernetes-preserve-unknown-fields": True})
    assert rule_values.value_for(open_node, {"a": "x", "b": "y"}) == {"a": "x"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", "plain"),
        ("namespace", "__namespace__"),
        ("a-b.c/d", "a__dash__b__dot__c__slash__d"),
        ("a__b", "a__underscores__b"),
    ],
)
def test_names_are_escaped(name: str, expected: str) -> None:
    assert rule_values.escaped(name) == expected
