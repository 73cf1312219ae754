"""Functions of lists that Kubernetes adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final


def is_sorted(values: list[Any]) -> bool:
    """Whether no element is greater than the next."""
    return all(one <= other for one, other in pairwise(values))


def total(values: list[Any]) -> Any:
    """The sum; 0 of nothing."""
    return sum(values)


def least(*values: Any) -> Any:
    """The smallest element of a list, or argument; raises ValueError when there is none."""
    return min(_elements(values))


def greatest(*values: Any) -> Any:
    """The greatest element of a list, or argument; raises ValueError when there is none."""
    return max(_elements(values))


def _elements(values: tuple[Any, ...]) -> list[Any]:
    found = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
    if not found:
        raise ValueError("min and max of an empty list")
    return found


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "isSorted": is_sorted,
    "max": greatest,
    "min": least,
    "sum": total,
}
