from __future__ import annotations

import pytest
from tests.unit.tasks import sample

from bookmesh.cli import task_progress


def test_each_task_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with task_progress.Progress(2) as progress:
        progress.on_step("traffic/shift", "half to v3")
        progress.on_result(sample.result())
        progress.on_result(sample.result("failed"))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [line[0] for line in shown.err.splitlines()] == ["✓", "✗"]
