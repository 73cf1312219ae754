"""Kubernetes quantities: `100m`, `1.5`, `64Mi`, `1e3`."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from decimal import ROUND_UP, Decimal
from typing import Any, Final

_QUANTITY: Final = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))((?:[KMGTPE]i)|[numkMGTPE]|(?:[eE][+-]?\d+))?")
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_NANO: Final = 9
_KIBI: Final = 1024
_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def is_quantity(value: Any) -> bool:
    """Say whether `value` is a JSON number or a text in the syntax of a quantity."""
    if isinstance(value, str):
        return _QUANTITY.fullmatch(value) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def parse(value: str | int | float) -> Decimal:
    """Return the exact amount in base units; raises ValueError for what is not a quantity."""
    if not isinstance(value, str):
        return Decimal(str(value))
    match = _QUANTITY.fullmatch(value)
    if match is None:
        raise ValueError(f'"{value}" is not a quantity')
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix in _BINARY:
        return number * Decimal(1024) ** _BINARY[suffix]
    exponent = _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])
    return number.scaleb(exponent)


@functools.lru_cache(maxsize=4096)
def canonical(value: str | int | float) -> str:
    """
    Write a quantity as servers store it: `1000m` is `1`, `0.5` is `500m`, `1024Mi` is `1Gi`, `1.5Gi` is `1536Mi`.

    The notation stays: powers of 1024 or of 1000, each with the largest suffix that leaves an integer; with an exponent
    (`1e3`) it stays as it is.

    Raises:
        ValueError: it is no quantity.
    """
    text = value if isinstance(value, str) else format(Decimal(str(value)), "f")
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not a quantity')
    suffix = match[2] or ""
    if suffix not in _DECIMAL and suffix not in _BINARY:
        return text
    amount = parse(text)
    if suffix in _BINARY and abs(amount) >= _KIBI:
        return _with_suffix(amount.to_integral_value(ROUND_UP), _KIBI, ("", *_BINARY))
    return _with_suffix(
        (amount.scaleb(_NANO)).to_integral_value(ROUND_UP),
        1000,
        tuple(sorted(_DECIMAL, key=_DECIMAL.__getitem__)),
    )


def _with_suffix(number: Decimal, base: int, suffixes: Sequence[str]) -> str:
    """Write a whole number of the first suffix's units with the last one that leaves a whole number."""
    whole, index = int(number), 0
    if not whole:
        return "0"
    while whole % base == 0 and index < len(suffixes) - 1:
        whole, index = whole // base, index + 1
    return f"{whole}{suffixes[index]}"
