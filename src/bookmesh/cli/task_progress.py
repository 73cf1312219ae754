"""A line a task on stderr as it ends; on a terminal also a bar and what runs at the moment."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from bookmesh.cli import terminal

if TYPE_CHECKING:
    from bookmesh.tasks.records import Result

_STYLES = {"passed": "green", "failed": "red", "broken": "yellow"}


class Progress:
    """The listener that `verifying.verify` tells."""

    def __init__(self, total: int) -> None:
        from rich import progress

        self._console = terminal.stderr()
        self._running: dict[str, str] = {}
        self._bar = progress.Progress(
            progress.BarColumn(bar_width=24),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TextColumn("{task.description}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._all = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def on_step(self, key: str, step: str) -> None:
        self._running[key] = step
        self._describe()

    def on_result(self, result: Result) -> None:
        from rich.text import Text

        from bookmesh.tasks.reports import text

        self._running.pop(result.key, None)
        line = text.line(result)
        self._console.print(Text(line[0], style=_STYLES[result.outcome]) + Text(line[1:], style="default"))
        self._bar.advance(self._all)
        self._describe()

    def _describe(self) -> None:
        shown = ", ".join(f"{key.rpartition('/')[2]}: {step}" for key, step in self._running.items())
        self._bar.update(self._all, description=shown[: max(20, self._console.width - 50)])
