from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

from bookmesh.cli import completing, main
from bookmesh.lab import labs


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("no bash, whose version is asked")
    done = CliRunner().invoke(main.main, ["completion", shell])
    assert done.exit_code == 0
    assert completing.VARIABLE in done.output


def complete(words: str, position: int) -> list[str]:
    """What bash would offer."""
    asked = {completing.VARIABLE: "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(position)}
    done = CliRunner().invoke(main.main, [], prog_name="bookmesh", env=asked)
    return [line.partition(",")[2] for line in done.output.splitlines()]


def test_commands_options_and_labs_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert complete("bookmesh sta", 1) == ["status"]
    assert "--merge" in complete("bookmesh kubeconfig --", 2)
    monkeypatch.setattr(labs, "running_labs", lambda: ["default", "second"])
    assert complete("bookmesh status --name se", 3) == ["second"]
