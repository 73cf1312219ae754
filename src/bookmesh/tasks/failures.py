"""
What can go wrong with a task, as findings: a code, what with which step, where in its file, what was seen, what to do.

Pure but for the line numbers, which are read from the file when something is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bookmesh.base.findings import Finding
from bookmesh.tasks import loading
from bookmesh.tasks.records import Attempt

_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Failures:
    """Findings about one task."""

    loaded: loading.LoadedTask

    def shows_nothing(self, step: int, expectation: int, before: Attempt) -> Finding:
        return Finding(
            code="BM0403",
            message=f"{self._names(step, expectation)}: was true before the step was applied: it does not show what "
            "the step does",
            where=self._expectation(step, expectation),
            known=_verdicts(before, holds=True),
            hint="look at what only this step changes, or say `before: holds` when the point is that it stays as it is",
        )

    def does_not_hold(
        self,
        step: int,
        expectation: int,
        after: Attempt,
        *,
        attempts: int,
        took_s: float,
        warnings: Sequence[str] = (),
    ) -> Finding:
        first = next(verdict.text for verdict in after.verdicts if not verdict.holds)
        return Finding(
            code="BM0404",
            message=f"{self._names(step, expectation)}: {first}",
            where=self._expectation(step, expectation),
            known="\n".join(
                [f"tried {attempts} time{'s' * (attempts != 1)} in {took_s:.1f} s", *_told(warnings)]
            ),
            hint="--keep leaves the namespace to look into; `within` gives it more time",
        )

    def does_not_hold_before(
        self, step: int, expectation: int, before: Attempt, *, warnings: Sequence[str] = ()
    ) -> Finding:
        first = next(verdict.text for verdict in before.verdicts if not verdict.holds)
        return Finding(
            code="BM0405",
            message=f"{self._names(step, expectation)}: must hold before the step too: {first}",
            where=self._expectation(step, expectation),
            known="\n".join([_verdicts(before, holds=False), *_told(warnings)]),
            hint="let an earlier step make it true, or leave `before: holds` out",
        )

    def action_failed(self, step: int, action: str, error: str, *, warnings: Sequence[str] = ()) -> Finding:
        first, _, rest = error.partition("\n")
        return Finding(
            code="BM0406",
            message=f"{self._step_name(step)}: {first}",
            where=self._place(f"steps[{step}].{action}"),
            known="\n".join([*filter(None, [rest[:_LONGEST]]), *_told(warnings)]),
            hint="try the same by hand; --keep leaves the namespace to look into",
        )

    def strays(self, step: int, action: str, listed: Sequence[str]) -> Finding:
        return Finding(
            code="BM0407",
            message=f"{self._step_name(step)}: outside of the run's namespace and not declared in elsewhere: "
            f"{', '.join(listed)}",
            where=self._place(f"steps[{step}].{action}"),
            known="elsewhere: " + (", ".join(map(str, self.loaded.task.elsewhere)) or "nothing"),
            hint="leave the namespace out of the YAML, or declare the object in elsewhere",
        )

    def is_there_already(self, found: Sequence[str]) -> Finding:
        return Finding(
            code="BM0408",
            message=f"{', '.join(found)} is there already: the task would change what is not its own",
            where=self._place("elsewhere"),
            known="objects of a run have its label; these were made by somebody else, or left by a run that was killed",
            hint="look at them, delete them if they are leftovers, and run the task again",
        )

    def left_behind(self, listed: Sequence[str]) -> Finding:
        return Finding(
            code="BM0409",
            message=f"left behind: {', '.join(listed)}",
            where=self._place("elsewhere" if self.loaded.task.elsewhere else "id"),
            hint="`kubectl get … -o yaml` shows finalizers and conditions that hold it",
        )

    def cluster_failed(self, error: str) -> Finding:
        return Finding(
            code="BM0410",
            message=error.partition("\n")[0],
            where=str(self.loaded.file),
            known=error.partition("\n")[2][:_LONGEST],
            hint="see whether `kubectl get namespaces` works against the same cluster",
        )

    def _names(self, step: int, expectation: int) -> str:
        return f"{self._step_name(step)}: {self.loaded.task.steps[step].expect[expectation].name}"

    def _step_name(self, step: int) -> str:
        return self.loaded.task.steps[step].name

    def _expectation(self, step: int, expectation: int) -> str:
        return self._place(f"steps[{step}].expect[{expectation}]")

    def _place(self, path: str) -> str:
        return f"{self.loaded.file}:{loading.line_in(self.loaded.file, path)}  {path}"


def _told(warnings: Sequence[str]) -> list[str]:
    """What the cluster warns of in the namespace of the run, a line each."""
    return [f"the cluster warns: {line}" for line in warnings]


def _verdicts(attempt: Attempt, *, holds: bool) -> str:
    return "; ".join(verdict.text for verdict in attempt.verdicts if verdict.holds == holds)
