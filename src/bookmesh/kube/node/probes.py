"""
Probes as decisions: what a result means, and when to look again. Pure: the caller brings clock and results.

The kubelet looks once a period. Until the first success, start-up and readiness probes here also look in between, 50 ms
after the container started and then twice as late each time; such a look can only bring good news: failures count once
a period, so a threshold is reached neither earlier nor later than on a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bookmesh.base.kubernetes import JsonObject

ProbeKind = Literal["startup", "readiness", "liveness"]
HANDLERS = ("httpGet", "tcpSocket", "exec", "grpc")

_FIRST_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe of a container, defaults applied; times in seconds. `handler` has one of the keys `HANDLERS`."""

    kind: ProbeKind
    handler: JsonObject
    initial_delay_s: float
    period_s: float
    timeout_s: float
    success_threshold: int
    failure_threshold: int
    grace_s: int | None


def parse_probe(container: JsonObject, kind: ProbeKind) -> Probe | None:
    """Take a container's probe; None when it has none of that kind."""
    probe = container.get(f"{kind}Probe")
    if not probe:
        return None
    return Probe(
        kind=kind,
        handler={key: probe[key] for key in HANDLERS if key in probe},
        initial_delay_s=probe.get("initialDelaySeconds") or 0,
        period_s=probe.get("periodSeconds") or 10,
        timeout_s=probe.get("timeoutSeconds") or 1,
        success_threshold=probe.get("successThreshold") or 1,
        failure_threshold=probe.get("failureThreshold") or 3,
        grace_s=probe.get("terminationGracePeriodSeconds"),
    )


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    What a result means.

    Attributes:
        passing: the probe's state from now on; None while neither threshold has been reached in a row.
        counted: the result is one that a cluster would have seen too.
        next_s: when to look again.
    """

    passing: bool | None
    counted: bool
    next_s: float


class ProbeJudge:
    """Counts results of one probe in one run of a container."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._eager = probe.kind != "liveness"
        self._look_s = _FIRST_LOOK_S
        self._counted_at_s: float | None = None
        self._in_a_row = 0
        self._last: bool | None = None

    def judge(self, success: bool, *, at_s: float) -> Judgement:
        """Take a result; `at_s` is the monotonic time at which the look began."""
        probe = self._probe
        if success:
            self._eager = False
        due = self._counted_at_s is None or at_s >= self._counted_at_s + probe.period_s - 1e-6
        counted = success or due
        if counted:
            if due:
                self._counted_at_s = at_s
            self._in_a_row = self._in_a_row + 1 if success == self._last else 1
            self._last = success
        return Judgement(self._passing(), counted, self._next_s(at_s))

    def _passing(self) -> bool | None:
        if self._last is None:
            return None
        threshold = self._probe.success_threshold if self._last else self._probe.failure_threshold
        return self._last if self._in_a_row >= threshold else None

    def _next_s(self, at_s: float) -> float:
        if not self._eager:
            return self._probe.period_s
        look, self._look_s = self._look_s, min(self._look_s * 2, self._probe.period_s)
        due_s = (self._counted_at_s if self._counted_at_s is not None else at_s) + self._probe.period_s
        return min(look, max(due_s - at_s, 0.0))
