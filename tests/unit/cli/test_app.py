from __future__ import annotations

import os
import sys

import pytest
from click.testing import CliRunner

from bookmesh.cli import main


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ([], ["--host", "127.0.0.1", "--reviews", "v3", "--ratings", "v1"]),
        (
            ["--port", "0", "--host", "::", "--reviews", "v2", "--ratings", "v-faulty"],
            ["--host", "::", "--reviews", "v2", "--ratings", "v-faulty", "--port", "0"],
        ),
    ],
)
def test_bookinfos_own_command_takes_the_place_of_the_process(
    given: list[str], passed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    executed: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: executed.append((program, arguments)))
    assert CliRunner().invoke(main.main, ["app", *given]).exit_code == 0
    assert executed == [(sys.executable, [sys.executable, "-m", "bookinfo", "all", *passed])]


@pytest.mark.parametrize("given", [["--reviews", "v4"], ["--port", "65536"], ["extra"]])
def test_wrong_arguments_are_misuse(given: list[str]) -> None:
    assert CliRunner().invoke(main.main, ["app", *given]).exit_code == 2


def test_help_says_what_it_is() -> None:
    shown = CliRunner().invoke(main.main, ["app", "--help"])
    assert shown.exit_code == 0
    assert "without any mesh" in shown.output
