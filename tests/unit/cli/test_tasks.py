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
    assert 'known: "bookmesh task list" shows all 1' in result.stderr
    assert "did you mean" not in result.stderr


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("command", ["run", "verify", "show"])
def test_a_misspelt_task_is_told_the_one_that_may_be_meant(command: str) -> None:
    result = run("task", command, "ligth")
    assert result.exit_code == 2
    assert "hint:  did you mean light? " in result.stderr


@pytest.mark.usefixtures("catalogue")
def test_each_name_has_to_match_something() -> None:
    result = run("task", "verify", "light", "-k", "heavy")
    assert result.exit_code == 2
    assert "no task matches heavy" in result.stderr


@pytest.mark.usefixtures("catalogue")
def test_tasks_are_verified_by_their_names() -> None:
    assert "BM0103" in run("task", "verify", "light").stderr, "as far as without a lab"


def test_a_context_that_is_not_there_is_told_with_those_that_are(
    catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig = catalogue / "kubeconfig"
    contexts = [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("staging", "edge")]
    kubeconfig.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "contexts": contexts}))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    result = run("task", "verify", "light", "--target", "stagin")
    assert result.exit_code == 1
    assert "error[BM0410]" in result.stderr
    assert "known: contexts: edge, staging; lab means" in result.stderr


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


def test_a_folder_in_place_of_cases_is_misuse(tmp_path: Path) -> None:
    result = run("test", str(tmp_path))
    assert result.exit_code == 2
    assert f"{tmp_path} is a folder; name the cases in it, such as {tmp_path}/*.yaml" in result.stderr
