"""Quantities that are added up and shown again in the notation they came in: `1Gi` and `512Mi` are `1536Mi`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from bookmesh.kube.schema import quantities

_THOUSAND, _KIBI = 1000, 1024
_SUFFIXES: Final = ("", "k", "M", "G", "T", "P", "E")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of base units; `is_binary` when it is written in powers of 1024."""

    value: Decimal
    is_binary: bool = False

    def __add__(self, other: Amount) -> Amount:
        is_binary = self.is_binary if self.value else other.is_binary
        return Amount(self.value + other.value, is_binary)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.value - other.value, self.is_binary if self.value else other.is_binary)

    def __str__(self) -> str:
        """Write it with the largest suffix that leaves an integer, in thousandths where it is none."""
        if self.value != self.value.to_integral_value():
            return f"{int((self.value * 1000).to_integral_value(ROUND_CEILING))}m"
        number, power, base = int(self.value), 0, _KIBI if self.is_binary else _THOUSAND
        while number and number % base == 0 and power < len(_SUFFIXES) - 1:
            number, power = number // base, power + 1
        if self.is_binary and power:
            return f"{number}{_SUFFIXES[power].upper()}i"
        return f"{number}{_SUFFIXES[power]}"


Amounts = Mapping[str, Amount]
ZERO: Final = Amount(Decimal(0))


def parse(quantity: str | float) -> Amount:
    """Read a quantity; ValueError for what is none."""
    return Amount(quantities.parse(quantity), isinstance(quantity, str) and quantity.endswith("i"))


def parse_all(listed: Mapping[str, str | float] | None) -> dict[str, Amount]:
    """Read a list of resources, such as `requests`; it may be absent."""
    return {name: parse(quantity) for name, quantity in (listed or {}).items()}


def total(parts: Iterable[Amounts]) -> dict[str, Amount]:
    """Add up lists of resources, name by name."""
    found: dict[str, Amount] = {}
    for part in parts:
        for name, amount in part.items():
            found[name] = found.get(name, ZERO) + amount
    return found


def largest(parts: Iterable[Amounts]) -> dict[str, Amount]:
    """The largest amount of each name."""
    found: dict[str, Amount] = {}
    for part in parts:
        for name, amount in part.items():
            if name not in found or amount.value > found[name].value:
                found[name] = amount
    return found
