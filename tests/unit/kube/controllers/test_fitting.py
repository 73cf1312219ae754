from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import fitting

TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}


def node(*, ready: str = "True", labels: dict[str, str] | None = None, **spec: Any) -> JsonObject:
    return {
        "metadata": {"name": "node", "labels": labels or {}},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize(
    ("toleration", "is_tolerated"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "gpu", "operator": "Exists"}, True),
        ({"key": "gpu", "value": "yes"}, True),
        ({"key": "gpu", "value": "no"}, False),
        ({"key": "gpu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "disk", "operator": "Exists"}, False),
        ({"value": "yes"}, False),
    ],
)
def test_toleration(toleration: JsonObject, is_tolerated: bool) -> None:
    misfit = fitting.misfit({"spec": {"tolerations": [toleration]}}, node(taints=[TAINT]))
    assert (misfit == "") is is_tolerated


def test_affinity_by_node_name() -> None:
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["other"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    assert fitting.misfit({"spec": {"affinity": {"nodeAffinity": required}}}, node())


def test_an_empty_affinity_term_matches_nothing() -> None:
    required: JsonObject = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}
    assert fitting.misfit({"spec": {"affinity": {"nodeAffinity": required}}}, node())


def test_a_heartbeat_is_no_change() -> None:
    later = node()
    later["status"]["conditions"][0]["lastHeartbeatTime"] = "2026-08-01T12:00:00Z"
    assert not fitting.is_changed(node(), later)


@pytest.mark.parametrize("after", [node(ready="False"), node(unschedulable=True), node(labels={"a": "b"})])
def test_what_pods_depend_on_is_a_change(after: JsonObject) -> None:
    assert fitting.is_changed(node(), after)


def test_a_node_without_a_spec_takes_pods() -> None:
    bare = {key: value for key, value in node().items() if key != "spec"}
    assert fitting.misfit({"spec": {}}, bare) == ""


@pytest.mark.parametrize(
    ("cpu", "misfit"), [("2", ""), ("2001m", "Insufficient cpu"), ("100", "Insufficient cpu")]
)
def test_a_pod_larger_than_the_node_does_not_fit(cpu: str, misfit: str) -> None:
    offering = node()
    offering["status"]["allocatable"] = {"cpu": "2", "memory": "1Gi"}
    container = {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}
    assert fitting.misfit({"spec": {"containers": [container]}}, offering) == misfit


def test_what_others_ask_for_counts_on_a_node_of_a_given_size() -> None:
    container = {"name": "c", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
    pod: JsonObject = {"metadata": {"name": "a"}, "spec": {"containers": [container]}}
    sized = node()
    sized["status"]["allocatable"] = {"cpu": "2", "memory": "1Gi", "pods": "2"}
    assert fitting.shortages(pod, sized, [pod, pod]) == []
    sized["metadata"]["annotations"] = {fitting.GIVEN_SIZE: "true"}
    assert fitting.shortages(pod, sized, []) == []
    assert fitting.shortages(pod, sized, [pod]) == ["Insufficient memory"]
    assert fitting.shortages(pod, sized, [pod, pod]) == [
        "Too many pods",
        "Insufficient cpu",
        "Insufficient memory",
    ]
