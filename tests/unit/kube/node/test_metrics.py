"""Rates out of looks at what containers use."""

from __future__ import annotations

import datetime

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import metrics
from bookmesh.kube.sandbox.usage import Usage

NOW = datetime.datetime(2026, 8, 1, 12, tzinfo=datetime.UTC)
NODE: JsonObject = {"metadata": {"name": "node", "labels": {"a": "b"}}}
POD: JsonObject = {"metadata": {"name": "p", "namespace": "n", "uid": "1", "labels": {"app": "x"}}}
IDLE = Usage(0.0, 0)


def _after(seconds: float) -> datetime.datetime:
    return NOW + datetime.timedelta(seconds=seconds)


def _reading(container: str, cpu_s: float, *, run: str = "r", memory: int = 2048) -> metrics.Reading:
    return metrics.Reading(POD, container, run, NOW, Usage(cpu_s, memory))


def test_a_pod_is_measured_from_its_start_and_then_between_looks() -> None:
    board = metrics.Metrics()
    board.note([_reading("c", 1.0)], machine=IDLE, node=NODE, now=_after(10))
    (pod,) = board.pods()
    assert pod["containers"] == [{"name": "c", "usage": {"cpu": "100000000n", "memory": "2Ki"}}]
    board.note([_reading("c", 6.0)], machine=IDLE, node=NODE, now=_after(15))
    (pod,) = board.pods()
    assert pod["containers"][0]["usage"]["cpu"] == "1000000000n"
    assert (pod["timestamp"], pod["window"]) == ("2026-08-01T12:00:15Z", "5.000s")
    assert pod["metadata"]["labels"] == {"app": "x"}


def test_a_container_that_started_again_is_not_compared_with_what_was_before() -> None:
    board = metrics.Metrics()
    board.note([_reading("c", 100.0)], machine=IDLE, node=NODE, now=_after(10))
    board.note([_reading("c", 2.0, run="second")], machine=IDLE, node=NODE, now=_after(20))
    assert board.pods()[0]["containers"][0]["usage"]["cpu"] == "100000000n"


def test_a_container_that_started_just_now_has_no_rate_yet() -> None:
    board = metrics.Metrics()
    board.note([_reading("c", 0.4)], machine=IDLE, node=NODE, now=_after(0.5))
    assert board.pods() == ()


def test_processes_that_ended_unseen_give_no_negative_rate() -> None:
    board = metrics.Metrics()
    board.note([_reading("c", 5.0)], machine=IDLE, node=NODE, now=_after(10))
    board.note([_reading("c", 4.0)], machine=IDLE, node=NODE, now=_after(20))
    assert board.pods()[0]["containers"][0]["usage"]["cpu"] == "0n"


def test_the_node_is_measured_from_the_second_look_on() -> None:
    board = metrics.Metrics()
    board.note([], machine=Usage(1000.0, 1 << 20), node=NODE, now=NOW)
    assert board.nodes() == ()
    board.note([], machine=Usage(1003.0, 3 << 20), node=NODE, now=_after(2))
    (node,) = board.nodes()
    assert node["usage"] == {"cpu": "1500000000n", "memory": "3072Ki"}
    assert node["metadata"]["name"] == "node"
