"""What does not exist is found before anything is evaluated."""

from __future__ import annotations

import pytest

from bookmesh.kube.schema import nodes
from bookmesh.kube.schema.expressions import expression, parsing, references

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "x-y": {"type": "integer"},
        "port": {"x-kubernetes-int-or-string": True},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "items": {
            "type": "array",
            "items": {"type": "object", "properties": {"weight": {"type": "integer"}}},
        },
    },
}


def problems(text: str, wanted: str = "boolean") -> list[str]:
    node = nodes.Node(SCHEMA, lambda name: pytest.fail(name))
    return expression.compile_expression(text, frozenset({"self"})).check_types({"self": node}, wanted)


@pytest.mark.parametrize(
    ("text", "place", "field"),
    [
        ("self.nme == ''", "1:5", "nme"),
        ("has(self.nme)", "1:9", "nme"),
        ("self.items.all(i, i.wight > 0)", "1:20", "wight"),
        ("self.items[0].wight > 0", "1:14", "wight"),
        ("self.items.filter(i, i.weight > 0).exists(i, i.wight == 1)", "1:47", "wight"),
        ("self.items.all(n, i, i.wight > 0)", "1:23", "wight"),
        ("cel.bind(x, self, x.nme == '')", "1:20", "nme"),
        ("self.?nme.hasValue()", "1:5", "nme"),
        ("self.?items.orValue([]).all(i, i.wight > 0)", "1:33", "wight"),
        ("self.labels.all(k, v, v.nme == '')", "", ""),
    ],
)
def test_misspelt_fields_are_found(text: str, place: str, field: str) -> None:
    (problem,) = problems(text)
    if field:
        assert problem.startswith(f"ERROR: <input>:{place}: undefined field '{field}'\n | {text}\n | ..")
    else:
        assert "type 'string' does not support field selection" in problem


@pytest.mark.parametrize(
    "text",
    [
        "self.name == '' && self.x__dash__y > 0 && self.open.anything.at == 'all'",
        "self.labels.app == '' && self.labels.all(k, self.labels[k] != '') && self.port == 1",
        "self.items.map(i, i.weight).exists(w, w > 0) && self.items.all(i, has(i.weight))",
    ],
)
def test_fields_that_are_there(text: str) -> None:
    assert problems(text) == []


def test_results_of_the_wrong_type() -> None:
    assert problems("self.name") == ["must evaluate to a bool"]
    assert problems("self.x__dash__y", "string") == ["must evaluate to a string"]
    assert problems("self.name", "string") == []


def test_names_that_macros_bind_are_no_variables() -> None:
    parsed = parsing.parse("a.all(x, x == y && b.exists(i, v, i == v)) && cel.bind(z, c, z == x)")
    assert sorted(each.name for each in references.names_of(parsed)) == ["a", "b", "c", "x", "y"]


def test_a_problem_is_shown_in_its_line() -> None:
    shown = references.Problem(7, "wrong").shown("a &&\n  b")
    assert shown == "ERROR: <input>:2:3: wrong\n |   b\n | ..^"
