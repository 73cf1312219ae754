from __future__ import annotations

from bookmesh.cli.istioctl import tables


def test_columns_are_five_spaces_apart_and_the_last_one_is_not_padded() -> None:
    text = tables.render(("NAME", "PORT"), [("reviews", 9080), ("a", 1)])
    assert text == "NAME        PORT\nreviews     9080\na           1"


def test_a_table_without_rows_is_its_header() -> None:
    assert tables.render(("A", "B"), []) == "A     B"
