"""What the engine is given."""

from __future__ import annotations

import pytest

from bookmesh.kube.schema.expressions import lowering, parsing


@pytest.mark.parametrize(
    ("text", "lowered"),
    [
        ("a.b[0] == c(1)", "(a.b[0] == c(1))"),
        ("a.?b", "(has(a.b) ? optional.of(a.b) : optional.none())"),
        ("a.?b.c", 'bookmesh_field((has(a.b) ? optional.of(a.b) : optional.none()), "c")'),
        ("a[?0]", "bookmesh_field(a, 0)"),
        ("cel.bind(x, 1, x + x)", "[[1]].map(it__1, (it__1[0] + it__1[0]))[0]"),
        ("a.all(k, v, k == v)", "bookmesh_pairs(a).all(it__1, (it__1[0] == it__1[1]))"),
        ("a.all(x, b.all(x, x > 1))", "a.all(it__1, b.all(it__2, (it__2 > 1)))"),
        ("a.transformMap(k, v, v)", "bookmesh_map(bookmesh_pairs(a).map(it__1, [it__1[0], [it__1[1]]]))"),
        ("a.transformList(k, v, k, v)", "bookmesh_pairs(a).filter(it__1, it__1[0]).map(it__1, it__1[1])"),
        ("[1, ?a]", "([1] + bookmesh_values(a))"),
        ("Object{a: 1}", '{"a": 1}'),
        ("a.size() + size(b)", "(bookmesh_length(a) + bookmesh_length(b))"),
        ("-a > 1 ? !b : has(c.d)", "(((-a) > 1) ? (!b) : has(c.d))"),
    ],
)
def test_lowered(text: str, lowered: str) -> None:
    assert lowering.lower(parsing.parse(text)) == lowered
