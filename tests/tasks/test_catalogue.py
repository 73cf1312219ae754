"""Every task of the catalogue passes in the lab."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.lab import labs

from bookmesh.tasks import loading

CATALOGUE = Path(__file__).resolve().parents[2] / "tasks"
FILES = sorted(CATALOGUE.glob("*/**/task.yaml"))
TOGETHER_S = 900


def test_the_catalogue_is_not_empty() -> None:
    assert len(FILES) >= 7
    assert len(loading.discover(CATALOGUE)) == len(FILES)


def test_every_yaml_of_a_task_is_used() -> None:
    """A file that no task names is left over from an earlier version."""
    named = {
        (loaded.directory / entry).resolve()
        for loaded in loading.discover(CATALOGUE)
        for step in loaded.task.steps
        for entry in (*(step.apply or ()), *(step.delete or ()))
        if isinstance(entry, str)
    }
    assert {file for file in CATALOGUE.glob("**/*.yaml") if file.name != "task.yaml"} - named == set()


@pytest.fixture(scope="module")
def results(lab: labs.Lab, request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """What came of the tasks that this run of pytest asks for, by file: several at a time, as people run them."""
    asked = [
        item.callspec.params["file"] for item in request.session.items if item.name.startswith("test_task[")
    ]
    done = lab.bookmesh("test", *map(str, asked), "-o", "json", check=False, timeout=TOGETHER_S)
    assert done.returncode in (0, 1), done.stderr
    return {result["file"]: result for result in json.loads(done.stdout)["tasks"]}


@pytest.mark.lab
@pytest.mark.timeout(TOGETHER_S + 120)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.relative_to(CATALOGUE).as_posix())
def test_task(lab: labs.Lab, results: dict[str, dict[str, Any]], file: Path) -> None:
    result = results[str(file)]
    assert result["outcome"] == "passed", result["message"]
    assert result["checks"] > 0
    assert f"namespace/{result['namespace']}" not in lab.kubectl("get", "namespaces", "-o", "name").stdout
    for declared in loading.load(file).task.elsewhere:
        where = ["-n", declared.namespace] if declared.namespace else []
        left = lab.kubectl("get", declared.kind, declared.name, *where, "--ignore-not-found", "-o", "name")
        assert left.stdout == ""
