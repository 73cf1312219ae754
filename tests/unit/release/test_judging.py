from __future__ import annotations

from dataclasses import replace

import pytest

from bookmesh.release import judging, ranges
from bookmesh.release.contracts import ReleaseId, Requirement
from bookmesh.release.serving import Backend, Rollout, Serving

REVIEWS = ReleaseId("shop", "reviews")
NEED = Requirement(REVIEWS, "reviews-api", ranges.parse_range(">=2"))
NEW = Backend("new", "v1", {"reviews-api": (2, 0, 0)}, is_ready=True)
OLD = Backend("old", "v1", {"reviews-api": (1, 0, 0)}, is_ready=True)
MUTE = Backend("mute", "v1", {}, is_ready=True)
SETTLED = Rollout("reviews-v1", "v1", is_observed=True, wanted=1, updated=1, replicas=1)
GOOD = Serving(REVIEWS, (SETTLED,), (NEW,), None)


def test_a_settled_release_that_serves_the_version_satisfies() -> None:
    assert judging.judge(NEED, GOOD) == judging.Verdict(True, "1 ready pods serve reviews-api 2")


@pytest.mark.parametrize(
    ("serving", "reason"),
    [
        (Serving(REVIEWS, (), (), None), "there is no release reviews"),
        (replace(GOOD, rollouts=(replace(SETTLED, is_observed=False),)), "not observed yet"),
        (replace(GOOD, rollouts=(replace(SETTLED, updated=0),)), "0 of 1 pods are new, 1 old ones are left"),
        (replace(GOOD, rollouts=(replace(SETTLED, replicas=2),)), "1 of 1 pods are new, 1 old ones are left"),
        (replace(GOOD, backends=()), "no ready pod of reviews gets traffic"),
        (replace(GOOD, backends=(replace(NEW, is_ready=False),)), "no ready pod"),
        (
            replace(GOOD, backends=(NEW, OLD)),
            "pod old (track v1) serves reviews-api 1, not >=2, and gets traffic",
        ),
        (replace(GOOD, backends=(NEW, MUTE)), "pod mute (track v1) does not say that it serves reviews-api"),
        (replace(GOOD, shares=frozenset({"v2"})), "no ready pod of reviews gets traffic"),
    ],
)
def test_anything_else_does_not_and_says_why(serving: Serving, reason: str) -> None:
    verdict = judging.judge(NEED, serving)
    assert not verdict.is_satisfied
    assert reason in verdict.reason


def test_what_gets_no_traffic_does_not_count() -> None:
    old = replace(OLD, track="v0")
    rolling = replace(SETTLED, deployment="reviews-v0", track="v0", updated=0)
    serving = replace(GOOD, rollouts=(SETTLED, rolling), backends=(NEW, old), shares=frozenset({"v1"}))
    assert judging.judge(NEED, serving).is_satisfied
    assert not judging.judge(NEED, replace(serving, shares=None)).is_satisfied


def test_a_release_is_unfinished_until_its_pods_are_ready() -> None:
    assert judging.unfinished(GOOD) == ""
    assert judging.unfinished(replace(GOOD, backends=())) == "deployment reviews-v1: 0 of 1 pods are ready"
    assert "being updated" in judging.unfinished(replace(GOOD, rollouts=(replace(SETTLED, updated=0),)))
    assert "not observed" in judging.unfinished(
        replace(GOOD, rollouts=(replace(SETTLED, is_observed=False),))
    )
