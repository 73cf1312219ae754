from __future__ import annotations

from bookmesh.cli.istioctl import tables


def test_columns_are_five_spaces_apart_and_the_last_one_is_not_padded() -> None:
    text = tables.render(("NAME", "PORT"), [("reviews", 9080), ("a", 1)])
    assert text == "NAME        PORT\nreviews     9080\na           1"


def test_columns_may_be_closer() -> None:
    assert tables.render(("A", "B"), [("long", 1)], gap=1) == "A    B\nlong 1"


def test_pairs_have_their_values_below_each_other() -> None:
    assert (
        tables.pairs([("Istio Version", "1"), ("Envoy Version", ""), ("X", "2")])
        == "Istio Version: 1\nX:             2"
    )
    assert tables.pairs([]) == ""


def test_a_table_without_rows_is_its_header() -> None:
    assert tables.render(("A", "B"), []) == "A     B"
