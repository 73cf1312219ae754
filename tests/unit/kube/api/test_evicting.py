"""Evictions, and budgets that refuse them."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import evicting, verbs


@pytest.fixture
def running(over: verbs.Verbs, pod: JsonObject) -> JsonObject:
    over.create(kubernetes.PODS, pod)
    over.bind("default", "web", "node")
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return over.patch(
        kubernetes.PODS, "web", "default", {"status": status}, patch_type="merge", subresource="status"
    ).object


def budget(over: verbs.Verbs, name: str = "b", *, allowed: int = 0, **spec: Any) -> None:
    wanted = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 1, **spec}
    over.create(evicting.BUDGETS, {"metadata": {"name": name, "namespace": "default"}, "spec": wanted})
    status = {
        "disruptionsAllowed": allowed,
        "currentHealthy": 1 + allowed,
        "desiredHealthy": 1,
        "expectedPods": 1 + allowed,
        "observedGeneration": 1,
    }
    over.patch(
        evicting.BUDGETS, name, "default", {"status": status}, patch_type="merge", subresource="status"
    )


def is_leaving(over: verbs.Verbs) -> bool:
    return "deletionTimestamp" in over.get(kubernetes.PODS, "web", "default").object["metadata"]


async def test_without_a_budget_an_eviction_is_a_deletion(over: verbs.Verbs, running: JsonObject) -> None:
    await evicting.evict(over, running, {}, is_dry_run=True)
    assert not is_leaving(over)
    await evicting.evict(over, running, {}, is_dry_run=False)
    assert is_leaving(over)


async def test_a_budget_is_spent(over: verbs.Verbs, running: JsonObject) -> None:
    budget(over, allowed=1)
    await evicting.evict(over, running, {}, is_dry_run=False)
    status = over.get(evicting.BUDGETS, "b", "default").object["status"]
    assert (status["disruptionsAllowed"], list(status["disruptedPods"])) == (0, ["web"])
    assert is_leaving(over)


async def test_a_budget_refuses_in_the_words_of_a_real_server(over: verbs.Verbs, running: JsonObject) -> None:
    budget(over)
    with pytest.raises(ApiError) as refusal:
        await evicting.evict(over, running, {}, is_dry_run=False)
    assert (refusal.value.code, refusal.value.reason) == (429, "TooManyRequests")
    assert refusal.value.message == "Cannot evict pod as it would violate the pod's disruption budget."
    assert refusal.value.details is not None
    assert refusal.value.details["causes"][0]["message"] == (
        "The disruption budget b needs 1 healthy pods and has 1 currently"
    )
    assert not is_leaving(over)


async def test_a_budget_nobody_has_looked_at_yet_refuses(over: verbs.Verbs, running: JsonObject) -> None:
    spec = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 1}
    over.create(evicting.BUDGETS, {"metadata": {"name": "b", "namespace": "default"}, "spec": spec})
    with pytest.raises(ApiError) as refusal:
        await evicting.evict(over, running, {}, is_dry_run=False)
    assert refusal.value.code == 429


async def test_two_budgets_are_one_too_many(over: verbs.Verbs, running: JsonObject) -> None:
    budget(over, "a", allowed=1)
    budget(over, "b", allowed=1)
    with pytest.raises(ApiError, match="more than one PodDisruptionBudget"):
        await evicting.evict(over, running, {}, is_dry_run=False)


async def test_other_pods_and_ended_ones_are_no_concern_of_a_budget(
    over: verbs.Verbs, running: JsonObject
) -> None:
    budget(over, selector={"matchLabels": {"app": "other"}})
    await evicting.evict(over, running, {}, is_dry_run=True)
    budget(over, "mine")
    ended = {**running, "status": {"phase": "Succeeded"}}
    await evicting.evict(over, ended, {}, is_dry_run=True)


async def test_an_unhealthy_pod_may_go_when_the_budget_is_met(over: verbs.Verbs, running: JsonObject) -> None:
    budget(over)
    unhealthy = {**running, "status": {"phase": "Running", "conditions": []}}
    await evicting.evict(over, unhealthy, {}, is_dry_run=False)
    assert is_leaving(over)
