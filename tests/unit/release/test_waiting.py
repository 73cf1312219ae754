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


def test_who_waits_in_vain_is_told_why() -> None:
    patience = waiting.Patience(lambda _event: None, 0, clock=iter((0.0, 1.0)).__next__)
    with pytest.raises(waiting.NotServedError, match=r"not within 0 s: none of two; pod a: no image$"):
        patience.wait_for(REVIEWS, lambda: "none of two", why=lambda: "pod a: no image")
