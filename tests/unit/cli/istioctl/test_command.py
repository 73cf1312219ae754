from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.cli.istioctl.conftest import Run

from bookmesh.cli.istioctl import command


def test_help_lists_every_command(istioctl: Run) -> None:
    result, _ = istioctl("--help")
    for name in command._COMMANDS:
        assert name in result.stdout


def test_every_command_and_alias_can_be_loaded(istioctl: Run) -> None:
    for name in [*command._COMMANDS, *command._ALIASES]:
        result, _ = istioctl(name, "--help")
        assert result.exit_code == 0, name


def test_without_a_cluster_the_lab_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("BOOKMESH_HOME", str(tmp_path))
    result = CliRunner().invoke(command.istioctl, ["version"])
    assert result.exit_code == 1
    for arguments in (
        ["version", "--help"],
        ["version", "--remote=false"],
        ["analyze", "-k=false", str(tmp_path)],
    ):
        assert CliRunner().invoke(command.istioctl, arguments).exit_code == 0, arguments


def test_the_shim_uses_the_labs_kubeconfig_unless_the_shell_names_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    monkeypatch.setattr(command, "istioctl", lambda **given: seen.append(given["obj"].find_environment()))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    command.run_shim("/lab/kubeconfig")
    monkeypatch.setenv("KUBECONFIG", "/own")
    command.run_shim("/lab/kubeconfig")
    assert seen == [{"KUBECONFIG": "/lab/kubeconfig"}, {}]
