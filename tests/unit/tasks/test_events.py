from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.tasks.fake_kubectl import FakeKubectl, said

from bookmesh.tasks import events
from bookmesh.tasks.kubectl import Done


def event(name: str, message: str, **time: str) -> dict[str, Any]:
    return {"involvedObject": {"kind": "Pod", "name": name}, "message": message, **time}


def warnings(answer: Done, *, are_pods_up: bool = True) -> list[str]:
    return events.warnings(FakeKubectl(lambda _arguments, _stdin: answer), "n", are_pods_up=are_pods_up)


def test_the_newest_come_first_each_once_in_one_line() -> None:
    found = [
        event("a", "older", lastTimestamp="2026-01-01T00:00:01Z"),
        event("a", "two\n  lines", eventTime="2026-01-01T00:00:02.000000Z"),
        event("a", "older", lastTimestamp="2026-01-01T00:00:00Z"),
    ]
    assert warnings(said(json.dumps({"items": found}))) == ["Pod a: two lines", "Pod a: older"]


def test_what_pods_that_came_up_said_before_is_left_out() -> None:
    answer = said(json.dumps({"items": [event("a", "Startup probe failed: refused"), event("a", "other")]}))
    assert warnings(answer) == ["Pod a: other"]
    assert len(warnings(answer, are_pods_up=False)) == 2


def test_there_are_only_so_many() -> None:
    found = [event(f"p{number}", "x") for number in range(events.MOST + 1)]
    assert len(warnings(said(json.dumps({"items": found})))) == events.MOST


@pytest.mark.parametrize("answer", [said("", 1, "forbidden"), said("")])
def test_a_cluster_that_tells_none_is_no_failure(answer: Done) -> None:
    assert warnings(answer) == []
