from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import rollout_limits


def deployment(replicas: int, **rolling: int | str) -> JsonObject:
    return {"spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (deployment(4), (4, 1, 1)),
        (deployment(10), (10, 3, 2)),
        (deployment(1), (1, 1, 0)),
        (deployment(3, maxSurge="25%", maxUnavailable="25%"), (3, 1, 0)),
        (deployment(3, maxSurge="34%", maxUnavailable="67%"), (3, 2, 2)),
        (deployment(3, maxSurge=0, maxUnavailable=0), (3, 0, 1)),
        (deployment(3, maxSurge="0%", maxUnavailable="10%"), (3, 0, 1)),
        (deployment(3, maxSurge=2, maxUnavailable=9), (3, 2, 3)),
        (deployment(7, maxSurge="100%", maxUnavailable="100%"), (7, 7, 7)),
        (deployment(0, maxSurge=1, maxUnavailable=1), (0, 1, 0)),
        ({"spec": {}}, (1, 1, 0)),
        ({"spec": {"replicas": 3, "strategy": {"type": "Recreate"}}}, (3, 0, 0)),
    ],
)
def test_limits(given: JsonObject, expected: tuple[int, int, int]) -> None:
    limits = rollout_limits.limits_of(given)
    assert (limits.replicas, limits.max_surge, limits.max_unavailable) == expected


def test_most_and_fewest_follow_from_the_limits() -> None:
    limits = rollout_limits.Limits(10, 3, 2)
    assert (limits.most, limits.fewest_available) == (13, 8)


def replica_set(wanted: int, *, generation: int = 1, **status: int) -> JsonObject:
    return {"metadata": {"generation": generation}, "spec": {"replicas": wanted}, "status": status}


def test_pods_that_are_still_there_count_as_most() -> None:
    assert rollout_limits.most_pods(replica_set(2, replicas=4)) == 4
    assert rollout_limits.most_pods(replica_set(4, replicas=2)) == 4


def test_pods_that_will_go_are_not_surely_available() -> None:
    assert rollout_limits.sure_available(replica_set(2, availableReplicas=4)) == 2
    assert rollout_limits.sure_available(replica_set(4)) == 0


def test_a_status_of_an_older_generation_is_not_settled() -> None:
    assert not rollout_limits.is_settled(replica_set(2, generation=3, observedGeneration=2))
    assert rollout_limits.is_settled(replica_set(2, generation=3, observedGeneration=3))
