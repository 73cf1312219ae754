from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.tasks import sample

from bookmesh.tasks import scheduling

Make = Callable[..., scheduling.Schedule]


@pytest.fixture
def schedule(tmp_path: Path) -> Make:
    """Make a schedule of tasks, each given by what it says besides its steps."""

    def make(*tasks: dict[str, Any]) -> scheduling.Schedule:
        loaded = [sample.load(tmp_path / str(n), id=f"t{n}", **each) for n, each in enumerate(tasks)]
        return scheduling.Schedule(loaded)

    return make


def taken(schedule: scheduling.Schedule) -> tuple[list[int | None], threading.Thread]:
    """Take one task in a thread of its own, which may have to wait."""
    found: list[int | None] = []
    thread = threading.Thread(target=lambda: found.append(schedule.take()), daemon=True)
    thread.start()
    return found, thread


def waits(thread: threading.Thread) -> bool:
    thread.join(0.05)
    return thread.is_alive()


def test_tasks_that_share_nothing_run_in_order_at_the_same_time(schedule: Make) -> None:
    plan = schedule({}, {}, {})
    assert [plan.take(), plan.take(), plan.take(), plan.take()] == [0, 1, 2, None]


def test_of_two_with_the_same_claim_the_second_waits_and_others_go_before(schedule: Make) -> None:
    plan = schedule({"exclusive": ["port"]}, {"exclusive": ["port", "name"]}, {})
    assert [plan.take(), plan.take()] == [0, 2]
    found, thread = taken(plan)
    assert waits(thread)
    plan.done(0)
    thread.join(60)
    assert found == [1]


def test_an_object_elsewhere_is_a_claim(schedule: Make) -> None:
    role = {"kind": "ClusterRole", "name": "r"}
    plan = schedule({"elsewhere": [role]}, {"elsewhere": [role]})
    assert plan.take() == 0
    found, thread = taken(plan)
    assert waits(thread)
    plan.done(0)
    thread.join(60)
    assert found == [1]


def test_who_claims_the_mesh_runs_last_and_alone(schedule: Make) -> None:
    plan = schedule({"exclusive": ["mesh"]}, {}, {})
    assert [plan.take(), plan.take()] == [1, 2]
    found, thread = taken(plan)
    plan.done(1)
    assert waits(thread)
    plan.done(2)
    thread.join(60)
    assert found == [0]


def test_nothing_starts_beside_who_claims_the_mesh(schedule: Make) -> None:
    plan = schedule({"exclusive": ["mesh"]}, {"exclusive": ["mesh"]})
    assert plan.take() == 0
    _, thread = taken(plan)
    assert waits(thread)
    plan.done(0)
    thread.join(60)


def test_after_a_stop_nobody_waits(schedule: Make) -> None:
    plan = schedule({"exclusive": ["port"]}, {"exclusive": ["port"]})
    plan.take()
    found, thread = taken(plan)
    plan.stop()
    thread.join(60)
    assert found == [None]
