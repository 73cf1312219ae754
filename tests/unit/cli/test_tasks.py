from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.tasks import sample

from bookmesh.cli import main


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    sample.write(tmp_path / "tasks" / "area" / "light")
    monkeypatch.setenv("BOOKMESH_TASKS", str(tmp_path / "tasks"))
    monkeypatch.setenv("BOOKMESH_HOME", str(tmp_path / "home"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main.main, arguments)


@pytest.mark.usefixtures("catalogue")
def test_the_catalogue_is_listed() -> None:
    assert run("task", "list").stdout.split() == ["area/light", "A", "light"]
    (row,) = json.loads(run("task", "list", "-o", "json").stdout)
    assert row == {"key": "area/light", "title": "A light", "page": ""}


@pytest.mark.usefixtures("catalogue")
def test_a_task_is_shown() -> None:
    assert "1. switch it on" in run("task", "show", "light").stdout


@pytest.mark.usefixtures("catalogue")
def test_an_unknown_task_is_misuse_and_the_known_ones_are_told() -> None:
    result = run("task", "run", "dark")
    assert result.exit_code == 2
    assert "error[BM0402]: no task matches dark" in result.stderr
    assert "known: area/light" in result.stderr


@pytest.mark.usefixtures("catalogue")
def test_verify_wants_to_know_which() -> None:
    assert run("task", "verify").exit_code == 2
    assert run("task", "verify", "--all", "-k", "x").exit_code == 2


@pytest.mark.usefixtures("catalogue")
def test_without_a_lab_nothing_is_run() -> None:
    result = run("task", "verify", "--all")
    assert result.exit_code != 0
    assert "BM0103" in result.stderr


def test_a_case_that_is_none_is_misuse(catalogue: Path) -> None:
    file = catalogue / "mine.yaml"
    file.write_text("id: mine\n")
    result = run("test", str(file))
    assert result.exit_code == 2
    assert "error[BM0401]: Object missing required field `title`" in result.stderr
    assert "mine.yaml:1" in result.stderr
