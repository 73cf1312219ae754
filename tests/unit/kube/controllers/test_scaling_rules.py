"""How far an autoscaler may go at one time."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import scaling_rules
from bookmesh.kube.controllers.scaling_rules import History, Recommendation, Scaling
from bookmesh.kube.schema.defaults import scaling as defaults

NOW = datetime.datetime(2026, 8, 1, 12, tzinfo=datetime.UTC)


def _ago(seconds: float) -> datetime.datetime:
    return NOW - datetime.timedelta(seconds=seconds)


def _spec(**behavior: Any) -> JsonObject:
    spec: JsonObject = {"minReplicas": 2, "maxReplicas": 20}
    if behavior:
        spec["behavior"] = behavior
    defaults.fill_autoscaler({"apiVersion": "autoscaling/v2", "spec": spec})
    return spec


def _limit(
    proposed: int, spec: JsonObject, *, current: int, history: History | None = None
) -> scaling_rules.Outcome:
    return scaling_rules.limit(proposed, spec, current=current, history=history or History(), now=NOW)


@pytest.mark.parametrize(
    ("proposed", "current", "replicas", "reason"),
    [
        (3, 2, 3, "DesiredWithinRange"),
        (9, 2, 4, "ScaleUpLimit"),
        (9, 3, 6, "ScaleUpLimit"),
        (90, 15, 20, "TooManyReplicas"),
        (1, 5, 2, "TooFewReplicas"),
        (5, 5, 5, "DesiredWithinRange"),
    ],
)
def test_without_behavior_a_target_doubles_or_goes_to_four(
    proposed: int, current: int, replicas: int, reason: str
) -> None:
    outcome = _limit(proposed, _spec(), current=current)
    assert (outcome.replicas, outcome.limited[0]) == (replicas, reason)


def test_a_doubling_counts_for_fifteen_seconds() -> None:
    just_doubled = History(scalings=(Scaling(_ago(10), 3),))
    assert _limit(12, _spec(), current=6, history=just_doubled).replicas == 6
    earlier = History(scalings=(Scaling(_ago(16), 3),))
    assert _limit(12, _spec(), current=6, history=earlier).replicas == 12


def test_the_highest_recommendation_of_five_minutes_keeps_pods() -> None:
    history = History((Recommendation(_ago(299), 7), Recommendation(_ago(60), 5)))
    outcome = _limit(3, _spec(), current=8, history=history)
    assert (outcome.replicas, outcome.able[0]) == (7, "ScaleDownStabilized")
    later = History((Recommendation(_ago(301), 7),))
    assert _limit(3, _spec(), current=8, history=later).replicas == 3


def test_a_window_for_growing_takes_the_lowest_recommendation() -> None:
    spec = _spec(scaleUp={"stabilizationWindowSeconds": 60})
    history = History((Recommendation(_ago(30), 4),))
    outcome = _limit(6, spec, current=3, history=history)
    assert (outcome.replicas, outcome.able[0]) == (4, "ScaleUpStabilized")


def test_a_behavior_may_forbid_to_shrink() -> None:
    outcome = _limit(2, _spec(scaleDown={"selectPolicy": "Disabled"}), current=6)
    assert (outcome.replicas, outcome.limited[0]) == (6, "ScaleDownLimit")


@pytest.mark.parametrize(("select", "replicas"), [("Max", 15), ("Min", 12)])
def test_of_two_policies_the_selected_one_counts(select: str, replicas: int) -> None:
    policies = [
        {"type": "Pods", "value": 2, "periodSeconds": 60},
        {"type": "Percent", "value": 50, "periodSeconds": 60},
    ]
    spec = _spec(scaleUp={"selectPolicy": select, "policies": policies})
    assert _limit(20, spec, current=10).replicas == replicas


def test_shrinking_by_a_share_rounds_towards_fewer_pods() -> None:
    policy = {"type": "Percent", "value": 10, "periodSeconds": 60}
    spec = _spec(scaleDown={"stabilizationWindowSeconds": 0, "policies": [policy]})
    assert _limit(2, spec, current=15).replicas == 13
    started = History(scalings=(Scaling(_ago(30), -1),))
    assert _limit(2, spec, current=14, history=started).replicas == 13


def test_what_no_window_reaches_is_forgotten() -> None:
    history = History(
        (Recommendation(_ago(400), 1), Recommendation(_ago(200), 2)),
        (Scaling(_ago(16), 1), Scaling(_ago(3), 1)),
    )
    kept = scaling_rules.remembered(history, _spec(), now=NOW)
    assert kept == History(history.recommendations[1:], history.scalings[1:])
