"""Write docs/reference/cli.md from the command itself; `--check` fails when it is not up to date."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from bookmesh.cli import main as cli

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "reference" / "cli.md"
HEAD = """# The command line

What each command does and takes. This page is generated from the command: `make gen`.

stdout is data, stderr is everything else. Exit codes: 0 done, 1 ran and failed, 2 misuse, 3 this machine cannot.
"""


def render() -> str:
    """Render every command, in the order of `--help`, as usage, text and a table of options."""
    context = click.Context(cli.main, info_name="bookmesh")
    return HEAD + "".join(section for section in _sections(cli.main, context))


def _sections(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield _section(command, inner)
        if isinstance(command, click.Group):
            yield from _sections(command, inner)


def _section(command: click.Command, context: click.Context) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    told, _, typed = inspect.cleandoc(command.help or "").partition("\b\nExamples:\n")
    text = "\n".join(line.strip() for line in told.replace("\b", "").strip().splitlines())
    if typed:
        text += f"\n\n```text\n{textwrap.dedent(typed).rstrip()}\n```"
    rows = [
        f"| `{'`, `'.join([*option.opts, *option.secondary_opts])}` | {_describe(option)} |"
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]
    table = "\n".join(["| option | what |", "|---|---|", *rows]) + "\n\n" if rows else ""
    return f"\n## {context.command_path}\n\n    {usage}\n\n{text}\n\n{table}".rstrip() + "\n"


def _describe(option: click.Option) -> str:
    text = (option.help or "").replace("|", "\\|")
    if isinstance(option.type, click.Choice):
        text += f" One of: {', '.join(option.type.choices)}."
    return text


def main() -> None:
    if "--check" in sys.argv:
        if not TARGET.exists() or TARGET.read_text() != render():
            sys.exit(f"{TARGET.relative_to(ROOT)} is not up to date: run make gen")
        return
    TARGET.write_text(render())


if __name__ == "__main__":
    main()
