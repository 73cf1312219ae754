"""Pods that have to leave a node with a taint."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from bookmesh.base.kubernetes import NODES, PODS, JsonObject
from bookmesh.base.pods import MIRROR_ANNOTATION
from bookmesh.kube.controllers import actions, informers, taint_eviction

NOW = datetime.datetime(2026, 8, 1, 12, tzinfo=datetime.UTC)
TAINT = {"key": "broken", "effect": "NoExecute", "timeAdded": "2026-08-01T11:59:50Z"}


def _pod(*tolerations: JsonObject) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default", "uid": "u"},
        "spec": {"nodeName": "node", "tolerations": list(tolerations)},
        "status": {"phase": "Running"},
    }


def _tolerate(**more: Any) -> JsonObject:
    return {"key": "broken", "operator": "Exists", **more}


def _decide(pod: JsonObject, *taints: JsonObject) -> actions.Actions:
    node = {"metadata": {"name": "node"}, "spec": {"taints": list(taints)}}
    return taint_eviction.reconcile(pod, taint_eviction.Seen(NOW, node))


def test_a_pod_that_does_not_tolerate_it_is_deleted() -> None:
    (delete,) = _decide(_pod(), TAINT)
    assert isinstance(delete, actions.Delete)
    assert delete.event is not None
    assert (delete.event.reason, delete.event.message) == (
        "TaintManagerEviction",
        "Marking for deletion Pod default/p",
    )


@pytest.mark.parametrize(
    ("toleration", "after_s"),
    [(_tolerate(tolerationSeconds=30), 20.0), (_tolerate(tolerationSeconds=600), 590.0)],
)
def test_a_pod_that_tolerates_it_for_a_while_may_stay_as_long(toleration: JsonObject, after_s: float) -> None:
    assert _decide(_pod(toleration), TAINT) == (actions.Requeue(after_s),)


def test_the_while_ends() -> None:
    assert isinstance(_decide(_pod(_tolerate(tolerationSeconds=10)), TAINT)[0], actions.Delete)


@pytest.mark.parametrize("effect", ["NoSchedule", "PreferNoSchedule"])
def test_other_taints_send_nobody_away(effect: str) -> None:
    assert _decide(_pod(), {**TAINT, "effect": effect}) == ()


def test_a_pod_that_tolerates_it_stays() -> None:
    assert _decide(_pod(_tolerate()), TAINT) == ()


def test_what_only_shows_a_part_of_the_node_stays() -> None:
    mirror = _pod()
    mirror["metadata"]["annotations"] = {MIRROR_ANNOTATION: "x"}
    assert _decide(mirror, TAINT) == ()


def test_only_taints_wake_the_pods_of_a_node() -> None:
    caches = informers.Informers(object())  # type: ignore[arg-type]
    pod = _pod()
    pod["metadata"]["resourceVersion"] = "1"
    caches.of(PODS).observe(pod)
    watch = next(each for each in taint_eviction.CONTROLLER.watches if each.resource == NODES)
    before = {"metadata": {"name": "node"}, "spec": {}}
    after = {"metadata": {"name": "node"}, "spec": {"taints": [TAINT]}}
    assert len(list(watch.keys(informers.Change("MODIFIED", after, before), NODES, caches))) == 1
    assert list(watch.keys(informers.Change("MODIFIED", before, before), NODES, caches)) == []
