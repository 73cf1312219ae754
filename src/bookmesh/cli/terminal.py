"""
How commands speak: findings and progress on stderr, data on stdout. Nothing depends on colour.

rich is imported where something is printed: commands that hand over to kubectl never need it.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import click
import orjson

from bookmesh.base import findings

if TYPE_CHECKING:
    from rich.console import Console

_STYLE = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}


def stderr() -> Console:
    """A console for people; rich honours NO_COLOR and drops colour when stderr is not a terminal."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def show(finding: findings.Finding, console: Console | None = None) -> None:
    """Print one finding."""
    from rich.text import Text

    first, _, rest = finding.render().partition("\n")
    label, _, message = first.partition(": ")
    text = Text(label, style=_STYLE[finding.severity])
    text.append(f": {message}", style="bold")
    if rest:
        text.append(f"\n{rest}", style="default")
    (console or stderr()).print(text)


@contextmanager
def failures() -> Iterator[None]:
    """Turn a `BookmeshError` into its message and exit code."""
    try:
        yield
    except findings.BookmeshError as error:
        show(error.finding)
        sys.exit(error.exit_code)


class Steps:
    """
    A line per step with the time it took; on a terminal the running step shows a spinner.

    As a context it ends the last step: as failed when an exception leaves it.
    """

    def __init__(self) -> None:
        self._console = stderr()
        self._status = self._console.status("") if self._console.is_terminal else None
        self._step: str | None = None
        self._began = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        self._finish("✓" if kind is None else "✗")

    def begin(self, name: str) -> None:
        """End the running step as done and begin another."""
        self._finish("✓")
        self._step, self._began = name, time.monotonic()
        if self._status:
            self._status.update(f"  {name}")
            self._status.start()

    def _finish(self, mark: str) -> None:
        if self._status:
            self._status.stop()
        if self._step is None:
            return
        from rich.text import Text

        took_s = time.monotonic() - self._began
        line = Text(f"  {mark} ", style="red" if mark == "✗" else "green")
        line.append(f"{self._step:<44}", style="default")
        line.append(f"{took_s:6.2f} s", style="dim")
        self._console.print(line)
        self._step = None


@contextmanager
def told_to_end_is_interrupted() -> Iterator[None]:
    """Meanwhile SIGTERM, by which pipelines are cancelled, is as Ctrl-C: what runs cleans up after itself."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def name_option_of(default: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """`--name`: which lab; `default` is the one that is meant without it."""
    return click.option(
        "--name",
        default=default,
        show_default=True,
        metavar="LAB",
        shell_complete=_complete_lab,
        help="Which lab, if you have several.",
    )


def name_option(function: click.decorators.FC) -> click.decorators.FC:
    """`--name`: which lab."""
    return name_option_of("default")(function)


def _complete_lab(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from bookmesh.lab import labs

    return [name for name in labs.running_labs() if name.startswith(incomplete)]


def print_json(facts: object) -> None:
    """Print what `-o json` asks for."""
    click.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode())


def output_option(function: click.decorators.FC) -> click.decorators.FC:
    """`-o json`: the same facts for programs."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="text for people, json for programs.",
    )(function)
