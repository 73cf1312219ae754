from __future__ import annotations

import pytest

from bookmesh.release import waiting
from bookmesh.release.contracts import ReleaseId

REVIEWS = ReleaseId("shop", "reviews")


def wait(problems: list[str], timeout_s: float) -> list[waiting.Event]:
    """Each look costs a second and finds the next problem; the last one stays."""
    told: list[waiting.Event] = []
    left = list(problems)
    patience = waiting.Patience(
        told.append, timeout_s, pause=lambda _s: None, clock=lambda: float(len(problems) - len(left))
    )
    patience.wait_for(REVIEWS, lambda: left.pop(0) if len(left) > 1 else left[0], "reviews: ")
    return told


def test_each_problem_is_told_once_and_the_end_is_when_there_is_none() -> None:
    told = wait(["none", "none", "one of two", ""], timeout_s=10)
    assert told == [
        waiting.Event(REVIEWS, "waiting", "reviews: none"),
        waiting.Event(REVIEWS, "waiting", "reviews: one of two"),
    ]


def test_what_was_there_instead_is_told_when_time_is_up() -> None:
    with pytest.raises(waiting.NotServedError, match="not within 2 s: reviews: one of two"):
        wait(["none", "none", "one of two", "one of two"], timeout_s=2)
