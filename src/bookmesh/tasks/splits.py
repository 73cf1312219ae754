"""Who answered how often, and how far that may be from the stated weights by chance alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple


class Bounds(NamedTuple):
    """Counts that are consistent with a share: lowest and highest, both allowed."""

    low: int
    high: int


def bounds_for(share: float, n: int, *, confidence: float) -> Bounds:
    """
    Find the central interval of a binomial distribution.

    Args:
        share: probability of one answer, in [0, 1].
        n: number of requests, >= 1.
        confidence: the counts outside of either end have together at most (1 - confidence) of the probability.

    Returns:
        Exactly (0, 0) for share 0 and (n, n) for share 1: what must never happen has no tolerance.
    """
    if share <= 0:
        return Bounds(0, 0)
    if share >= 1:
        return Bounds(n, n)
    tail = (1 - confidence) / 2
    masses = [_mass(count, n, share) for count in range(n + 1)]
    return Bounds(_cut(masses, tail), n - _cut(masses[::-1], tail))


def bounds_for_weights(weights: Mapping[str, float], n: int, *, confidence: float) -> dict[str, Bounds]:
    """Find bounds for each answer such that all hold together at `confidence` (Bonferroni: the doubt is shared)."""
    total = sum(weights.values())
    uncertain = max(1, sum(1 for weight in weights.values() if 0 < weight < total))
    each = 1 - (1 - confidence) / uncertain
    return {name: bounds_for(weight / total, n, confidence=each) for name, weight in weights.items()}


def _mass(count: int, n: int, share: float) -> float:
    ways = math.lgamma(n + 1) - math.lgamma(count + 1) - math.lgamma(n - count + 1)
    return math.exp(ways + count * math.log(share) + (n - count) * math.log1p(-share))


def _cut(masses: list[float], tail: float) -> int:
    """Count how many leading outcomes have together at most `tail`."""
    total = 0.0
    for count, mass in enumerate(masses):
        total += mass
        if total > tail:
            return count
    return len(masses) - 1
