"""Everything that an expression is made of is found."""

from __future__ import annotations

from bookmesh.kube.schema.expressions import parsing, tree


def test_names_anywhere() -> None:
    text = "a.b[c].l(d ? !e : {f: [g, ?h]}, X{y: j}) + k"
    found = [each.name for each in tree.all_of(parsing.parse(text)) if isinstance(each, tree.Name)]
    assert sorted(found) == list("acdefghjk")
