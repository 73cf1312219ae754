"""The status of quotas, and what makes it look again."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import PODS, JsonObject, Resource
from bookmesh.kube.controllers import actions, informers, resource_quotas
from bookmesh.kube.controllers.resources import QUOTAS


def _quota(**status: Any) -> JsonObject:
    return {
        "metadata": {"name": "q", "namespace": "n", "uid": "u", "resourceVersion": "3"},
        "spec": {"hard": {"pods": "2", "count/deployments.apps": "1"}},
        "status": status,
    }


def _pod(phase: str) -> JsonObject:
    return {
        "metadata": {"name": "p", "namespace": "n", "uid": "p", "resourceVersion": "4"},
        "spec": {"containers": []},
        "status": {"phase": phase},
    }


def test_what_is_used_is_written() -> None:
    seen = resource_quotas.Seen((("", "pods", _pod("Running")), ("", "pods", _pod("Failed"))))
    (patch,) = resource_quotas.reconcile(_quota(), seen)
    assert isinstance(patch, actions.Patch)
    assert patch.patch == {
        "status": {
            "hard": {"pods": "2", "count/deployments.apps": "1"},
            "used": {"pods": "1", "count/deployments.apps": "0"},
        }
    }


def test_a_quota_may_limit_nothing() -> None:
    bare = {"metadata": _quota()["metadata"]}
    (patch,) = resource_quotas.reconcile(bare, resource_quotas.Seen((("", "pods", _pod("Running")),)))
    assert isinstance(patch, actions.Patch)
    assert patch.patch == {"status": {"hard": {}, "used": {}}}


def test_a_status_that_is_right_is_left_alone() -> None:
    quota = _quota(hard=_quota()["spec"]["hard"], used={"pods": "0", "count/deployments.apps": "0"})
    assert resource_quotas.reconcile(quota, resource_quotas.Seen(())) == ()


@pytest.mark.parametrize(
    ("before", "after", "matters"),
    [(None, "Pending", True), ("Pending", "Running", False), ("Running", "Succeeded", True)],
)
def test_only_changes_of_what_is_counted_matter(before: str | None, after: str, matters: bool) -> None:
    class NoClient:
        """Nobody is asked."""

    caches = informers.Informers(NoClient())  # type: ignore[arg-type]
    caches.of(QUOTAS).observe(_quota())
    previous = None if before is None else _pod(before)
    change = informers.Change("ADDED" if before is None else "MODIFIED", _pod(after), previous)
    keys = [
        key
        for watch in resource_quotas.CONTROLLER.watches
        if watch.resource is None
        for key in watch.keys(change, PODS, caches)
    ]
    assert bool(keys) is matters


def test_a_namespace_without_quotas_costs_nothing() -> None:
    caches = informers.Informers(object())  # type: ignore[arg-type]
    watch = resource_quotas.CONTROLLER.watches[1]
    change = informers.Change("ADDED", _pod("Running"), None)
    assert list(watch.keys(change, Resource("", "v1", "pods"), caches)) == []
