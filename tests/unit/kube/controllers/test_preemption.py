"""Who counts, and who goes; what the scheduler makes of it is in its table."""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.base.pods import GIVEN_SIZE
from bookmesh.kube.controllers import preemption

NODE: JsonObject = {
    "metadata": {"name": "node", "annotations": {GIVEN_SIZE: "true"}},
    "status": {"allocatable": {"cpu": "4"}},
}


def pod(name: str, cpu: int, priority: int = 0, *, node: str = "node", **status: Any) -> JsonObject:
    container = {"name": "c", "resources": {"requests": {"cpu": str(cpu)}}}
    spec = {"nodeName": node, "priority": priority, "containers": [container]}
    return {"metadata": {"name": name, "uid": name}, "spec": spec, "status": status}


def names(pods: list[JsonObject]) -> list[str]:
    return [each["metadata"]["name"] for each in pods]


def test_one_large_pod_goes_rather_than_one_that_is_spared_for_nothing() -> None:
    there = [pod("a", 1, 1), pod("b", 3, 2)]
    assert names(preemption.victims(pod("new", 3, 9, node=""), NODE, there)) == ["b"]
    assert names(preemption.victims(pod("new", 4, 9, node=""), NODE, there)) == ["b", "a"]


def test_equals_and_betters_stay() -> None:
    assert preemption.victims(pod("new", 1, 2, node=""), NODE, [pod("a", 2, 2), pod("b", 2, 3)]) == []


def test_those_that_are_on_the_node_or_named_on_it_count() -> None:
    others = [
        pod("there", 1),
        pod("elsewhere", 1, node="other"),
        pod("done", 1, phase="Failed"),
        pod("named", 1, 5, node="", nominatedNodeName="node"),
        pod("named-lower", 1, 1, node="", nominatedNodeName="node"),
    ]
    mine = pod("new", 1, 3, node="")
    assert names(preemption.rivals(mine, NODE, [*others, mine])) == ["there", "named"]
