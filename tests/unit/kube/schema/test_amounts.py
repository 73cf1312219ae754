"""Quantities that are added up."""

from __future__ import annotations

import pytest

from bookmesh.kube.schema import amounts


@pytest.mark.parametrize(
    ("parts", "total"),
    [
        (["1Gi", "512Mi"], "1536Mi"),
        (["512Mi", "512Mi"], "1Gi"),
        (["100m", "0.9"], "1"),
        (["1500m", "250m"], "1750m"),
        (["1k", "1000"], "2k"),
        (["1000", "1Ki"], "2024"),
        (["0", "1Mi"], "1Mi"),
        (["2"], "2"),
        ([], "0"),
    ],
)
def test_a_sum_keeps_the_notation_of_what_is_added(parts: list[str], total: str) -> None:
    together = amounts.ZERO
    for part in parts:
        together += amounts.parse(part)
    assert str(together) == total


def test_lists_are_added_and_compared_name_by_name() -> None:
    one, two = amounts.parse_all({"cpu": "1", "memory": "1Mi"}), amounts.parse_all({"cpu": "500m"})
    assert {name: str(amount) for name, amount in amounts.total([one, two]).items()} == {
        "cpu": "1500m",
        "memory": "1Mi",
    }
    assert {name: str(amount) for name, amount in amounts.largest([two, one]).items()} == {
        "cpu": "1",
        "memory": "1Mi",
    }


def test_a_difference_may_be_negative() -> None:
    assert (amounts.parse("1") - amounts.parse("3")).value == -2
