"""Refusals, and which resources they are about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nack:
    """A proxy refused `resources` of one type. `time_s` is on the clock of the session."""

    type_url: str
    message: str
    time_s: float
    resources: tuple[str, ...]


def named_in(message: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that stand in the message as a whole: `outbound|80||a` is not in `outbound|80||a.b`."""
    return tuple(
        name for name in names if re.search(rf"(?<![\w.|-]){re.escape(name)}(?![\w|-]|\.\w)", message)
    )
