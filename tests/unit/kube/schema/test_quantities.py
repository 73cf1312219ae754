"""Quantities: syntax and amounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bookmesh.kube.schema import quantities


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", "1"),
        ("100m", "0.1"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("1.", "1"),
        ("2k", "2000"),
        ("64Mi", str(64 * 1024**2)),
        ("1e3", "1000"),
        ("1E2", "100"),
        ("1E", str(10**18)),
        ("-2", "-2"),
        (3, "3"),
        (0.5, "0.5"),
    ],
)
def test_a_quantity_is_an_exact_amount(text: str | float, amount: str) -> None:
    assert quantities.is_quantity(text)
    assert quantities.parse(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "x", "1x", "1 Mi", "Mi", "1mi", "--1", "1KiB", True, None, []])
def test_other_things_are_no_quantities(text: Any) -> None:
    assert not quantities.is_quantity(text)


def test_parsing_what_is_no_quantity_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="1x"):
        quantities.parse("1x")


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        ("0.0005", "500u"),
        ("1.5Gi", "1536Mi"),
        ("1024Mi", "1Gi"),
        ("2000Mi", "2000Mi"),
        ("1000Ki", "1000Ki"),
        ("0.5Ki", "512"),
        ("1000", "1k"),
        ("1500", "1500"),
        ("1000000", "1M"),
        ("0", "0"),
        ("0Gi", "0"),
        ("+2", "2"),
        ("-1000m", "-1"),
        ("1e3", "1e3"),
        (2, "2"),
        (0.25, "250m"),
        (1e21, "1000E"),
        ("1.0000000001", "1000000001n"),
    ],
)
def test_a_quantity_has_one_form(written: str | float, stored: str) -> None:
    assert quantities.canonical(written) == stored
    assert quantities.canonical(stored) == stored
