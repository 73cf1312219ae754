from __future__ import annotations

import pytest
from tests.unit.tasks import sample

from bookmesh.tasks.reports import timing


def test_all_time_of_a_step_is_accounted_for_once() -> None:
    sums = timing.sums([sample.result()])
    assert sums == pytest.approx(
        {
            "looking after it until it holds": 0.8,
            "cleaning up": 0.5,
            "waiting for pods": 0.4,
            "other actions": 0.2,
            "looking before a step": 0.1,
            "making namespaces": 0.1,
        }
    )
    assert list(sums.values()) == sorted(sums.values(), reverse=True)


def test_sums_and_slowest_steps_are_told_for_several_tasks() -> None:
    assert list(timing.describe([sample.result()], 3.0)) == []
    lines = list(timing.describe([sample.result(), sample.result("failed", key="traffic/fault")], 4.0))
    assert lines[0] == "time: 6.0 s of tasks in 4.0 s"
    assert lines[-1].split(maxsplit=2) == ["1.5", "s", "traffic/fault: half to v3"]
    assert len(timing.slowest([sample.result()] * 9)) == timing.SLOWEST
