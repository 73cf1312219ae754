from __future__ import annotations

from bookmesh.cli.explain import outcomes
from bookmesh.cli.explain.outcomes import Answer, Target

TARGETS = (Target("a", 75.0, ("10.0.0.1:80",)), Target("b", 25.0))


def test_shares_of_targets_and_answers_sum_up() -> None:
    split = outcomes.forwarded(TARGETS, (), is_http=True)
    aborted = outcomes.after_abort(split, Answer(500, 20.0, "a fault"))
    assert aborted.kind == "forwarded"
    assert [each.percent for each in aborted.targets] == [60.0, 20.0]
    assert sum(each.percent for each in (*aborted.targets, *aborted.answers)) == 100.0


def test_a_fault_for_all_leaves_nothing_to_forward() -> None:
    aborted = outcomes.after_abort(
        outcomes.forwarded(TARGETS, (), is_http=True), Answer(500, 100.0, "a fault")
    )
    assert (aborted.kind, aborted.targets) == ("answered", ())


def test_without_targets_http_is_answered_and_a_connection_closed() -> None:
    failure = (Answer(503, 100.0, "no healthy endpoint"),)
    assert outcomes.forwarded((), failure, is_http=True).kind == "answered"
    assert outcomes.forwarded((), failure, is_http=False).kind == "closed"
    assert outcomes.closed("x").as_json()["answers"] == [{"status": 0, "percent": 100.0, "why": "x"}]
    assert outcomes.answered(404, "x").as_json()["kind"] == "answered"
