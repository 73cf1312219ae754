"""How long to wait before something that failed is tried again. Pure: the caller brings the clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackOffLimits:
    """Seconds. A run of at least `reset_s` makes the next failure count as the first again."""

    initial_s: float = 10.0
    maximum_s: float = 300.0
    reset_s: float = 600.0


class BackOff:
    """Doubles from one failure to the next. With `first_at_once` the first retry does not wait at all."""

    def __init__(self, limits: BackOffLimits, *, first_at_once: bool) -> None:
        self._limits = limits
        self._start_s = 0.0 if first_at_once else limits.initial_s
        self._next_s = self._start_s

    def delay_s(self, *, ran_for_s: float = 0.0) -> float:
        """Seconds to wait now, after a run of `ran_for_s`."""
        if ran_for_s >= self._limits.reset_s:
            self._next_s = self._start_s
        delay = self._next_s
        self._next_s = min(max(delay * 2, self._limits.initial_s), self._limits.maximum_s)
        return delay
