from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from bookmesh.cli import main


def test_help_lists_every_command_with_a_line() -> None:
    shown = CliRunner().invoke(main.main, ["--help"])
    assert shown.exit_code == 0
    for command in ("up", "status", "env", "kubectl", "kubeconfig", "logs", "doctor", "down"):
        assert f"\n  {command} " in shown.output


@pytest.mark.parametrize("command", ["up", "status", "env", "kubeconfig", "logs", "doctor", "down"])
def test_every_command_has_help_of_its_own(command: str) -> None:
    shown = CliRunner().invoke(main.main, [command, "--help"])
    assert shown.exit_code == 0
    assert "Usage:" in shown.output


def test_an_unknown_command_is_misuse_and_near_ones_are_named() -> None:
    assert CliRunner().invoke(main.main, ["fly"]).exit_code == 2
    done = CliRunner().invoke(main.main, ["stauts"])
    assert (done.exit_code, "Did you mean status" in done.output) == (2, True)


def test_short_lines_and_docstrings_agree_on_what_a_command_is() -> None:
    context = click.Context(main.main)
    for name in main.main.list_commands(context):
        command = main.main.get_command(context, name)
        assert command is not None
        assert command.name == name
