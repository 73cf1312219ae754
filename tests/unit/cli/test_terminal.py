from __future__ import annotations

import contextlib
import io

import pytest
from rich.console import Console

from bookmesh.base import findings
from bookmesh.cli import terminal

FINDING = findings.Finding(code="BM0102", message="port 1 is in use", known="nginx", hint="free it")


def test_a_finding_is_shown_without_colour_where_nobody_sees_it() -> None:
    text = io.StringIO()
    terminal.show(FINDING, Console(file=text, highlight=False, soft_wrap=True))
    assert text.getvalue() == "error[BM0102]: port 1 is in use\n  known: nginx\n  hint:  free it\n"


def test_brackets_in_messages_are_no_markup() -> None:
    text = io.StringIO()
    odd = findings.Finding(code="BM0201", message="[bold]spec.http[0]", hint="[/]")
    terminal.show(odd, Console(file=text, highlight=False, soft_wrap=True))
    assert "[bold]spec.http[0]" in text.getvalue()


@pytest.mark.parametrize("code", [1, 2, 3])
def test_failures_become_messages_and_exit_codes(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left, terminal.failures():
        raise findings.BookmeshError(FINDING, exit_code=code)  # type: ignore[arg-type]
    assert left.value.code == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error[BM0102]: port 1 is in use" in captured.err


def test_steps_leave_one_line_each_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(KeyError), terminal.Steps() as steps:
        steps.begin("store")
        steps.begin("network")
        raise KeyError
    first, second = capsys.readouterr().err.splitlines()
    assert "✓ store" in first
    assert "✗ network" in second
    assert first.endswith(" s")
    with terminal.Steps() as steps:
        steps.begin("gateway")
    assert "✓ gateway" in capsys.readouterr().err
