"""Semantic versions in expressions: maps with their parts; and comparisons, which quantities have as well."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from bookmesh.kube.schema.expressions import amounts

_KIND: Final = "kubernetes.Semver"
_NUMBER: Final = r"(0|[1-9]\d*)"
_VERSION: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)


def semver(text: str, is_normalized: bool = False) -> dict[str, Any]:
    """Parse a version, or with `is_normalized` one that is written loosely (`v1.0`); raises ValueError."""
    match = _VERSION.fullmatch(_normalized(text) if is_normalized else text)
    if match is None:
        raise ValueError(f"semver parse error during conversion from string: {text}")
    numbers = [int(match[position]) for position in (1, 2, 3)]
    return {"type": _KIND, "numbers": numbers, "pre": match[4] or "", "build": match[5] or ""}


def _normalized(text: str) -> str:
    core, *rest = re.split(r"(?=[-+])", text.removeprefix("v"), maxsplit=1)
    numbers = [str(int(each)) if each.isdecimal() else each for each in core.split(".")]
    return ".".join([*numbers, "0", "0"][: max(3, len(numbers))]) + "".join(rest)


def is_semver(text: str, is_normalized: bool = False) -> bool:
    """Whether `semver` would take it."""
    try:
        semver(text, is_normalized)
    except ValueError:
        return False
    return True


def compare(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """-1, 0 or 1; of versions, and of quantities."""
    if one.get("type") != _KIND:
        return amounts.compare(one, other)
    left, right = _order(one), _order(other)
    return (left > right) - (left < right)


def _order(version: Mapping[str, Any]) -> tuple[Any, ...]:
    """A version sorts after those that only lead up to it; numbers in these sort before words."""
    parts = version["pre"].split(".") if version["pre"] else []
    identifiers = tuple((0, int(each), "") if each.isdecimal() else (1, 0, each) for each in parts)
    return (*version["numbers"], not parts, identifiers)


def _part(position: int) -> Callable[[Mapping[str, Any]], Any]:
    return lambda version: version["numbers"][position]


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "semver": semver,
    "isSemver": is_semver,
    "major": _part(0),
    "minor": _part(1),
    "patch": _part(2),
    "isLessThan": lambda one, other: compare(one, other) < 0,
    "isGreaterThan": lambda one, other: compare(one, other) > 0,
    "compareTo": compare,
}
