from __future__ import annotations

import math

import pytest

from bookmesh.tasks import splits


def probability(n: int, share: float, bounds: splits.Bounds) -> float:
    return sum(
        math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(bounds.low, bounds.high + 1)
    )


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("n", [1, 20, 200])
@pytest.mark.parametrize("confidence", [0.9, 0.999])
def test_the_bounds_keep_their_promise_and_no_more(share: float, n: int, confidence: float) -> None:
    bounds = splits.bounds_for(share, n, confidence=confidence)
    assert probability(n, share, bounds) >= confidence - 1e-9
    tail = (1 - confidence) / 2
    assert probability(n, share, splits.Bounds(0, bounds.low)) > tail
    assert probability(n, share, splits.Bounds(bounds.high, n)) > tail


def test_a_known_interval() -> None:
    assert splits.bounds_for(0.5, 100, confidence=0.95) == (40, 60)


def test_never_and_always_have_no_tolerance() -> None:
    assert splits.bounds_for(0, 50, confidence=0.9) == (0, 0)
    assert splits.bounds_for(1, 50, confidence=0.9) == (50, 50)


def test_weights_are_shares_and_several_share_the_doubt() -> None:
    both = splits.bounds_for_weights({"v1": 1, "v2": 1, "v3": 0}, 200, confidence=0.999)
    assert both["v1"] == both["v2"]
    assert both["v3"] == (0, 0)
    alone = splits.bounds_for(0.5, 200, confidence=0.999)
    assert both["v1"].low <= alone.low
    assert splits.bounds_for_weights({"v1": 7}, 10, confidence=0.9) == {"v1": (10, 10)}
