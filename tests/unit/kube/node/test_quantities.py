from __future__ import annotations

from decimal import Decimal

import pytest

from bookmesh.kube.node import quantities


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", Decimal(1)),
        ("500m", Decimal("0.5")),
        ("1.5", Decimal("1.5")),
        (".5", Decimal("0.5")),
        ("128Mi", Decimal(128 * 1024**2)),
        ("1k", Decimal(1000)),
        ("2Gi", Decimal(2 * 1024**3)),
        ("1e3", Decimal(1000)),
        ("100n", Decimal("1e-7")),
        (2, Decimal(2)),
    ],
)
def test_quantities_are_parsed_into_base_units(text: str, value: Decimal) -> None:
    assert quantities.parse_quantity(text) == value


@pytest.mark.parametrize("text", ["", "Mi", "1Zi", "1 Gi", "a", "1mm"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        quantities.parse_quantity(text)


def test_division_rounds_up() -> None:
    assert quantities.divide_up(Decimal("0.25"), Decimal(1)) == 1
    assert quantities.divide_up(Decimal(1024), Decimal(1024)) == 1
    assert quantities.divide_up(Decimal(3), Decimal(0)) == 3
