"""The syntax of expressions."""

from __future__ import annotations

import pytest

from bookmesh.kube.schema.expressions import parsing, tree


def test_what_binds_stronger_is_further_down() -> None:
    found = parsing.parse("a || b && !c == d + 1 * 2")
    assert isinstance(found, tree.Operation)
    assert found.operator == "||"
    conjunction = found.operands[1]
    assert isinstance(conjunction, tree.Operation)
    assert [type(each).__name__ for each in conjunction.operands] == ["Name", "Operation"]


def test_members() -> None:
    found = parsing.parse("a.?b[?0].c(d)")
    assert isinstance(found, tree.Call)
    assert found.function == "c"
    assert found.target == tree.Index(
        tree.Select(tree.Name("a", 0), "b", True, 1), tree.Literal("0", 6), True, 4
    )


def test_structures_lists_and_maps() -> None:
    found = parsing.parse("Object.spec{a: [1, ?b], ?c: {?'d': e,}}")
    assert isinstance(found, tree.Struct)
    assert (found.type, [name for name, _ in found.fields]) == ("Object.spec", ["a", "c"])
    assert [element.is_optional for _, element in found.fields] == [False, True]
    one = found.fields[0][1].value
    assert isinstance(one, tree.ListOf)
    assert [each.is_optional for each in one.elements] == [False, True]


@pytest.mark.parametrize(
    "text",
    ["r'\\d'", "b'a'", "'''a'b'''", '"a\\"b"', "0x1F", "1u", "1.5e3", "true", "// a word\n null", "'é'"],
)
def test_literals(text: str) -> None:
    assert isinstance(parsing.parse(text), tree.Literal)


@pytest.mark.parametrize(
    "text",
    ["", "a b", "a.", "a..b", "(a", "[1", "{a}", "a ? b", "'a", "1 +", "a.`b`", "#", "in", "a(b", "f(,)"],
)
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(parsing.MalformedError):
        parsing.parse(text)


def test_what_is_nested_too_deep() -> None:
    with pytest.raises(parsing.MalformedError, match="too deep"):
        parsing.parse("(" * 5000 + "1" + ")" * 5000)
