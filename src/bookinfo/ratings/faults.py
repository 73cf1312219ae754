"""
Versions of ratings that misbehave on purpose, to show what a mesh and its dashboards make of it.

Deciding is a pure function of time and chance; the clock and the dice come from outside.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

DELAY_S: Final = 7.0


class Fate(enum.Enum):
    """What becomes of a request to read ratings."""

    ANSWERED = enum.auto()
    DELAYED = enum.auto()
    """Answered after `DELAY_S`."""
    REFUSED = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """How a version misbehaves; as it stands here it does not."""

    refused_share: float = 0.0
    delayed_share: float = 0.0
    outage_s: float | None = None
    """After so many seconds of service come as many without, and so on. None: no outages."""
    is_unhealthy_when_out: bool = False
    """Whether `/health` fails during an outage, so that a liveness probe restarts the pod."""


WELL_BEHAVED: Final = Variant()

VARIANTS: Final = {
    "v-faulty": Variant(refused_share=0.5),
    "v-delayed": Variant(delayed_share=0.5),
    "v-unavailable": Variant(outage_s=60),
    "v-unhealthy": Variant(outage_s=15 * 60, is_unhealthy_when_out=True),
}
"""By SERVICE_VERSION. Quarter hours, because Kubernetes forgets earlier restarts after ten minutes without one."""


def is_out(variant: Variant, uptime_s: float) -> bool:
    """Say whether a process that has run for so long is in one of its outages."""
    return variant.outage_s is not None and int(uptime_s // variant.outage_s) % 2 == 1


def is_healthy(variant: Variant, uptime_s: float) -> bool:
    """Say whether `/health` succeeds."""
    return not (variant.is_unhealthy_when_out and is_out(variant, uptime_s))


def fate(variant: Variant, *, uptime_s: float, chance: float) -> Fate:
    """
    Decide about one request.

    Args:
        chance: from 0 up to, but not including, 1; drawn anew for each request.
    """
    if is_out(variant, uptime_s) or chance < variant.refused_share:
        return Fate.REFUSED
    if chance < variant.refused_share + variant.delayed_share:
        return Fate.DELAYED
    return Fate.ANSWERED


class Faults:
    """The variant of this process, with its clock running and its dice at hand."""

    def __init__(self, version: str, *, clock: Callable[[], float], dice: Callable[[], float]) -> None:
        self._variant = VARIANTS.get(version, WELL_BEHAVED)
        self._clock = clock
        self._dice = dice
        self._started = clock()

    def is_healthy(self) -> bool:
        return is_healthy(self._variant, self._clock() - self._started)

    def fate(self) -> Fate:
        if self._variant is WELL_BEHAVED:
            return Fate.ANSWERED
        return fate(self._variant, uptime_s=self._clock() - self._started, chance=self._dice())
