"""Quantities in expressions: maps with their value in lowest terms, so that equal amounts are equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from bookmesh.kube.schema import quantities

_KIND: Final = "kubernetes.Quantity"
_LARGEST: Final = 2**63


def quantity(text: str) -> dict[str, Any]:
    """Parse a quantity; raises ValueError."""
    if not is_quantity(text):
        raise ValueError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    return _amount(quantities.parse(text))


def is_quantity(text: str) -> bool:
    """Whether `quantity` would take it."""
    return isinstance(text, str) and quantities.is_quantity(text)


def _amount(value: Decimal) -> dict[str, Any]:
    return {"type": _KIND, "text": format(value.normalize(), "f")}


def _value(amount: Mapping[str, Any] | int) -> Decimal:
    return Decimal(amount if isinstance(amount, int) else amount["text"])


def is_integer(amount: Mapping[str, Any]) -> bool:
    """Whether it is a whole number that fits in 64 bits."""
    value = _value(amount)
    return value == value.to_integral_value() and -_LARGEST <= value < _LARGEST


def as_integer(amount: Mapping[str, Any]) -> int:
    """The whole number; raises ValueError when it is none."""
    if not is_integer(amount):
        raise ValueError("cannot convert value to integer")
    return int(_value(amount))


def compare(amount: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """-1, 0 or 1."""
    one, two = _value(amount), _value(other)
    return (one > two) - (one < two)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "quantity": quantity,
    "isQuantity": is_quantity,
    "isInteger": is_integer,
    "asInteger": as_integer,
    "asApproximateFloat": lambda amount: float(_value(amount)),
    "sign": lambda amount: (_value(amount) > 0) - (_value(amount) < 0),
    "add": lambda amount, other: _amount(_value(amount) + _value(other)),
    "sub": lambda amount, other: _amount(_value(amount) - _value(other)),
    "isLessThan": lambda amount, other: compare(amount, other) < 0,
    "isGreaterThan": lambda amount, other: compare(amount, other) > 0,
    "compareTo": compare,
}
