from __future__ import annotations

from tests.unit.tasks import sample

from bookmesh.tasks.records import Attempt, Observation, Verdict


def test_an_attempt_holds_when_all_its_checks_do() -> None:
    good, bad = Verdict(True, "a"), Verdict(False, "b")
    assert Attempt(0.0, 0.0, Observation(), (good, good)).holds
    assert not Attempt(0.0, 0.0, Observation(), (good, bad)).holds


def test_only_checks_that_were_shown_to_hold_count() -> None:
    assert sample.result().checks == 1
    assert sample.result("failed").checks == 0
