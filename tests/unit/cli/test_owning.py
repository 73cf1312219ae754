"""A command that writes with Helm runs in a process of Helm's name, and is the same command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bookmesh.cli import owning


def test_the_process_is_called_helm_and_finds_the_same_modules() -> None:
    command = owning.command(sys.executable, sys.path, ["release", "apply", "--help"])
    assert Path(command[0]).name == "helm"
    done = subprocess.run(command, executable=sys.executable, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: bookmesh release apply [OPTIONS] FILE")


def test_it_knows_the_interpreter_and_not_the_folder_it_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bookmesh.py").write_text("raise SystemExit('the folder was searched')")
    monkeypatch.setattr(
        owning, "_BEGIN", owning._BEGIN.split("from")[0] + "print(sys.executable); import bookmesh"
    )
    done = subprocess.run(
        owning.command(sys.executable, sys.path, []),
        executable=sys.executable,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == sys.executable


@pytest.mark.parametrize(
    "arguments", [[], ["release"], ["release", "plan", "apply"], ["up", "release", "apply"]]
)
def test_other_commands_go_on_as_they_are(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("another process was begun"))
    owning.begin_anew(arguments)
