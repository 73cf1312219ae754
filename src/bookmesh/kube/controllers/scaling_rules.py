"""
How far and how fast an autoscaler may go: stabilization windows, policies per period, minimum and maximum.

An autoscaler without `behavior` may double (or go to 4) every 15 seconds, down to the highest recommendation of the
last five minutes; that is what a controller manager with its default flags does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bookmesh.base.kubernetes import JsonObject

DOWN_WINDOW_S: Final = 300
_DOUBLE: Final[JsonObject] = {"type": "Percent", "value": 100, "periodSeconds": 15}
_PLAIN_UP: Final[JsonObject] = {
    "stabilizationWindowSeconds": 0,
    "policies": [_DOUBLE, {"type": "To", "value": 4, "periodSeconds": 15}],
}
_PLAIN_DOWN: Final[JsonObject] = {"policies": [_DOUBLE]}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What was computed from the metrics at one time, before any limit."""

    at: datetime
    replicas: int


@dataclass(frozen=True, slots=True)
class Scaling:
    """A change of the target that was made: `change` pods more, or fewer when negative."""

    at: datetime
    change: int


@dataclass(frozen=True, slots=True)
class History:
    """What the controller remembers of one autoscaler, oldest first."""

    recommendations: tuple[Recommendation, ...] = ()
    scalings: tuple[Scaling, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many replicas it may be, and why: reason and message of AbleToScale and of ScalingLimited."""

    replicas: int
    able: tuple[str, str]
    limited: tuple[str, str]

    @property
    def is_limited(self) -> bool:
        return self.limited[0] != "DesiredWithinRange"


_WITHIN: Final = ("DesiredWithinRange", "the desired count is within the acceptable range")
_TOO_MANY: Final = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
_TOO_FEW: Final = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
_UP_LIMIT: Final = (
    "ScaleUpLimit",
    "the desired replica count is increasing faster than the maximum scale rate",
)
_DOWN_LIMIT: Final = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
)
_READY: Final = ("ReadyForNewScale", "recommended size matches current size")
_UP_STABILIZED: Final = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
_DOWN_STABILIZED: Final = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)


def limit(proposed: int, spec: JsonObject, *, current: int, history: History, now: datetime) -> Outcome:
    """Bring a proposal into what the autoscaler's `spec` allows now; `current` is the target's size."""
    up, down = _rules(spec)
    lowest, highest = _recent_extremes(proposed, up, down, history, now)
    stable = min(max(current, lowest), highest) if "behavior" in spec else highest
    able = _READY
    if stable != proposed:
        able = _UP_STABILIZED if proposed >= current and "behavior" in spec else _DOWN_STABILIZED
    if stable > current:
        allowed = max(current, _most(up, current, history, now))
        bound, why = min((spec["maxReplicas"], _TOO_MANY), (allowed, _UP_LIMIT), key=lambda each: each[0])
        return Outcome(bound, able, why) if stable > bound else Outcome(stable, able, _WITHIN)
    if stable < current:
        allowed = min(current, _least(down, current, history, now))
        bound, why = max(
            (spec.get("minReplicas", 1), _TOO_FEW), (allowed, _DOWN_LIMIT), key=lambda each: each[0]
        )
        return Outcome(bound, able, why) if stable < bound else Outcome(stable, able, _WITHIN)
    return Outcome(stable, able, _WITHIN)


def remembered(history: History, spec: JsonObject, *, now: datetime) -> History:
    """Forget what no window and no period of the autoscaler reaches back to."""
    up, down = _rules(spec)
    windows = [rules.get("stabilizationWindowSeconds", DOWN_WINDOW_S) for rules in (up, down)]
    periods = [policy["periodSeconds"] for rules in (up, down) for policy in rules["policies"]]
    return History(
        tuple(each for each in history.recommendations if _age_s(each.at, now) < max(windows)),
        tuple(each for each in history.scalings if _age_s(each.at, now) < max(periods, default=0)),
    )


def _rules(spec: JsonObject) -> tuple[JsonObject, JsonObject]:
    """The rules for growing and for shrinking; the API server has filled in what a `behavior` leaves out."""
    if "behavior" in spec:
        return spec["behavior"]["scaleUp"], spec["behavior"]["scaleDown"]
    return _PLAIN_UP, _PLAIN_DOWN


def _recent_extremes(
    proposed: int, up: JsonObject, down: JsonObject, history: History, now: datetime
) -> tuple[int, int]:
    """The lowest recommendation of the window for growing, the highest of that for shrinking."""

    def recent(window_s: int) -> list[int]:
        kept = [each.replicas for each in history.recommendations if _age_s(each.at, now) < window_s]
        return [proposed, *kept]

    lowest = min(recent(up.get("stabilizationWindowSeconds", 0)))
    return lowest, max(recent(down.get("stabilizationWindowSeconds", DOWN_WINDOW_S)))


def _most(rules: JsonObject, current: int, history: History, now: datetime) -> int:
    """The size that the policies allow to grow to."""
    if rules.get("selectPolicy") == "Disabled":
        return current
    sizes: list[int] = []
    for policy in rules["policies"]:
        start, value = _size_at_start(policy, current, history, now), policy["value"]
        match policy["type"]:
            case "Pods":
                sizes.append(start + value)
            case "To":
                sizes.append(value)
            case _:
                sizes.append(math.ceil(start * (100 + value) / 100))
    return min(sizes) if rules.get("selectPolicy") == "Min" else max(sizes)


def _least(rules: JsonObject, current: int, history: History, now: datetime) -> int:
    """The size that the policies allow to shrink to."""
    if rules.get("selectPolicy") == "Disabled":
        return current
    sizes: list[int] = []
    for policy in rules["policies"]:
        start, value = _size_at_start(policy, current, history, now), policy["value"]
        sizes.append(start - value if policy["type"] == "Pods" else start * (100 - value) // 100)
    return max(sizes) if rules.get("selectPolicy") == "Min" else min(sizes)


def _size_at_start(policy: JsonObject, current: int, history: History, now: datetime) -> int:
    """What size the target had when the policy's present period began."""
    recent = [each for each in history.scalings if _age_s(each.at, now) < policy["periodSeconds"]]
    return current - sum(each.change for each in recent)


def _age_s(at: datetime, now: datetime) -> float:
    return (now - at) / timedelta(seconds=1)
