"""Kubernetes quantities: `500m`, `128Mi`, `1e3`. Pure."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_UNITS: dict[str, Decimal] = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([A-Za-z]{0,2})")


def parse_quantity(text: str | float) -> Decimal:
    """
    Parse a quantity into its base unit: cores, bytes or a plain number.

    Raises:
        ValueError: the text is not a quantity.
    """
    match = _QUANTITY.fullmatch(str(text).strip())
    if not match or match[2] not in _UNITS:
        raise ValueError(f'"{text}" is not a quantity')
    return Decimal(match[1]) * _UNITS[match[2]]


def divide_up(quantity: Decimal, divisor: Decimal) -> int:
    """Divide and round up, as `resourceFieldRef` does; a divisor of zero counts as one."""
    return math.ceil(quantity / (divisor or Decimal(1)))
