"""Refusals, and which resources they are about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# How Envoy begins when it tried clusters or listeners one by one; it has taken those it does not name.
_PARTIAL: Final = "Error adding/updating "


@dataclass(frozen=True, slots=True)
class Nack:
    """A proxy refused `resources` of one type. `time_s` is on the clock of the session."""

    type_url: str
    message: str
    time_s: float
    resources: tuple[str, ...]


def refused_among(message: str, names: Iterable[str]) -> tuple[str, ...]:
    """
    Tell which of the names in a response were refused; () when the proxy took nothing of it.

    A name counts where it stands as a whole: `outbound|80||a` is not in `outbound|80||a.b`.
    """
    if not message.startswith(_PARTIAL):
        return ()
    return tuple(
        name for name in names if re.search(rf"(?<![\w.|-]){re.escape(name)}(?![\w|-]|\.\w)", message)
    )
