"""Durations as Istio and Go write them: `7s`, `1.5h`, `1h30m`, `250ms`."""

from __future__ import annotations

import re

_UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


def parse_duration_s(text: str) -> float:
    """
    Parse a Go-style duration.

    Returns:
        Seconds, >= 0.

    Raises:
        ValueError: the text is empty, has no unit, or has anything besides numbers and units.
    """
    if text == "0":
        return 0.0
    total_s, position = 0.0, 0
    for part in _PART.finditer(text):
        if part.start() != position:
            break
        total_s += float(part[1]) * _UNIT_S[part[2]]
        position = part.end()
    if not text or position != len(text):
        raise ValueError(
            f'"{text}" is not a duration: expected numbers with units ns, us, ms, s, m or h, such as 1h30m'
        )
    return total_s
