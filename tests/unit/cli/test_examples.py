from __future__ import annotations

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from bookmesh.cli import examples, main


def test_examples_stand_before_the_options_once() -> None:
    for _ in range(2):
        shown = CliRunner().invoke(main.main, ["status", "--help"]).output
        assert shown.count("Examples:\n    bookmesh status ") == 1
        assert shown.index("Examples:") < shown.index("Options:")


def test_text_before_the_examples_keeps_its_paragraphs() -> None:
    def do() -> None:
        """
        Do it.

        All of
        it.
        """

    shown = CliRunner().invoke(examples.attach("up", click.command()(do)), ["--help"]).output
    assert "\n  Do it.\n\n  All of it.\n\n  Examples:\n    bookmesh up" in shown


def test_commands_without_examples_stay_as_they_are() -> None:
    command = click.Command("x", help="Do it.")
    assert examples.attach("x", command).help == "Do it."


@pytest.mark.parametrize("name", examples.EXAMPLES)
def test_each_example_is_a_command_line_that_is_understood(name: str) -> None:
    """Flags and arguments are parsed as they stand, without running anything."""
    for line in examples.EXAMPLES[name]:
        text = re.split(r"\s{3,}| \| | > ", line)[0].removeprefix('eval "$(').removesuffix(')"')
        words = shlex.split(text)
        words = ["bookmesh", *words] if words[0] == "istioctl" else words
        name_words = name.split()
        assert words[: 1 + len(name_words)] == ["bookmesh", *name_words]
        context = click.Context(main.main, info_name="bookmesh")
        command = main.main.get_command(context, words[1])
        assert command is not None
        rest = words[2:]
        while isinstance(command, click.Group):
            inner = command.get_command(context, rest[0])
            assert inner is not None, line
            command, rest = inner, rest[1:]
        command.make_context(command.name, rest, resilient_parsing=True)
