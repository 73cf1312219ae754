from __future__ import annotations

from tests.unit.tasks import sample

from bookmesh.tasks.reports import text


def test_a_task_is_one_line() -> None:
    line = text.line(sample.result())
    assert line.split() == ["✓", "traffic/shift", "3.0", "s", "1", "step,", "1", "check"]


def test_only_what_went_wrong_is_explained() -> None:
    assert text.explain(sample.result()) == ""
    told = text.explain(sample.result("failed"))
    assert told.startswith("failed: traffic/shift  (namespace task-shift-abcde)\n" + sample.FINDING.render())
    assert "before: v1 200" in told
    assert "tried:  1 time" in told


def test_the_last_line_counts() -> None:
    results = [sample.result(), sample.result("failed"), sample.result("broken")]
    assert text.summarize(results, 9.0) == "3 tasks: 1 passed, 1 failed, 1 broken; 1 check held; 9.0 s"
