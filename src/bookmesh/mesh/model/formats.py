"""
Values of headers as Envoy reads them: text with operators such as `%HOSTNAME%` and `%REQ(x-user)%`.

How an operator is written is checked, as Istio does; which ones there are only the proxy knows.
"""

from __future__ import annotations

import re
from typing import Final

_OPERATOR: Final = re.compile(r"%[A-Z0-9_]+(\([^)]*\))?(:[0-9]+)?%")


def check(value: str) -> None:
    """
    Make sure that every percent sign belongs to an operator, or is doubled.

    Raises:
        ValueError: one does not.
    """
    position = value.find("%")
    while position >= 0:
        found = _OPERATOR.match(value, position)
        if found is None and not value.startswith("%%", position):
            raise ValueError(
                f'"{value}" has a % that begins no operator such as %HOSTNAME%; write %% for a percent sign'
            )
        position = value.find("%", found.end() if found is not None else position + 2)


def literal(value: str) -> str:
    """The value as it is, where it is none that Envoy reads, with its percent signs doubled."""
    try:
        check(value)
    except ValueError:
        return value.replace("%", "%%")
    return value
