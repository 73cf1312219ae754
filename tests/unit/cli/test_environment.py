from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bookmesh.cli import environment, main


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("BOOKMESH_HOME", str(tmp_path))
    return tmp_path


def test_everything_after_kubectl_is_kubectls_own() -> None:
    context = environment.kubectl.make_context(
        "kubectl", ["exec", "-i", "pod", "--", "sh", "-c", "ls --help"]
    )
    assert context.params["arguments"] == ("exec", "-i", "pod", "--", "sh", "-c", "ls --help")


def test_use_without_merge_is_misuse() -> None:
    assert CliRunner().invoke(main.main, ["kubeconfig", "--use"]).exit_code == 2


@pytest.mark.parametrize(
    "arguments", [["env"], ["kubeconfig"], ["kubectl", "get", "pods"], ["kubectl", "--name", "x"]]
)
def test_without_a_lab_the_command_says_how_to_start_one(arguments: list[str]) -> None:
    ran = CliRunner().invoke(main.main, arguments)
    assert ran.exit_code == 1
    assert "BM0103" in ran.stderr
