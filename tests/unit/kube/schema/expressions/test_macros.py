"""Calls that are macros."""

from __future__ import annotations

import pytest

from bookmesh.kube.schema.expressions import macros, parsing, tree


def call(text: str) -> tree.Call:
    found = parsing.parse(text)
    assert isinstance(found, tree.Call)
    return found


@pytest.mark.parametrize(
    ("text", "names", "bodies"),
    [
        ("a.all(x, true)", ("x",), 1),
        ("a.all(i, x, true)", ("i", "x"), 1),
        ("a.map(x, true, 1)", ("x",), 2),
        ("a.transformMap(k, v, true, 1)", ("k", "v"), 2),
        ("cel.bind(x, 1, x)", ("x",), 1),
        ("a.optMap(x, x)", ("x",), 1),
    ],
)
def test_macros(text: str, names: tuple[str, ...], bodies: int) -> None:
    found = macros.macro_of(call(text))
    assert found is not None
    assert (found.names, len(found.bodies)) == (names, bodies)


@pytest.mark.parametrize(
    "text", ["all(x, true)", "a.all(1, true)", "a.all(x)", "a.bind(x, 1, x)", "cel.bind(1, 1, x)"]
)
def test_calls_that_are_none(text: str) -> None:
    assert macros.macro_of(call(text)) is None


def test_presence() -> None:
    assert macros.presence_of(call("has(a.b)")) is not None
    assert macros.presence_of(call("has(a)")) is None
    assert macros.presence_of(call("a.has(a.b)")) is None
