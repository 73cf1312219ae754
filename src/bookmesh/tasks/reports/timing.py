"""Where the time of a verification went: sums over all tasks by what was done, and the steps that took longest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bookmesh.tasks.records import Result, StepResult

SLOWEST = 5


def sums(results: Sequence[Result]) -> dict[str, float]:
    """Seconds by what was done, longest first; tasks that ran at the same time count each."""
    steps = [step for result in results for step in result.steps]
    found = {
        "waiting for pods": sum(step.rolled_out_s for step in steps),
        "other actions": sum(step.acted_s - step.rolled_out_s for step in steps),
        "looking before a step": sum(_before_s(step) for step in steps),
        "looking after it until it holds": sum(_after_s(step) for step in steps),
        "making namespaces": sum(result.prepared_s for result in results),
        "cleaning up": sum(result.cleaned_s for result in results),
    }
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def slowest(results: Sequence[Result]) -> list[tuple[str, StepResult]]:
    """The steps that took longest, with the keys of their tasks; longest first, at most `SLOWEST`."""
    steps = [(result.key, step) for result in results for step in result.steps]
    return sorted(steps, key=lambda item: -item[1].took_s)[:SLOWEST]


def describe(results: Sequence[Result], took_s: float) -> Iterator[str]:
    """Tell both in lines; nothing for a single task."""
    if len(results) < 2:
        return
    total_s = sum(result.took_s for result in results)
    yield f"time: {total_s:.1f} s of tasks in {took_s:.1f} s"
    for what, spent_s in sums(results).items():
        yield f"  {spent_s:7.1f} s  {what}"
    yield "slowest steps:"
    for key, step in slowest(results):
        yield f"  {step.took_s:7.1f} s  {key}: {step.name}"


def _before_s(step: StepResult) -> float:
    return sum(each.before.took_s for each in step.expectations if each.before)


def _after_s(step: StepResult) -> float:
    return max(0.0, step.took_s - step.acted_s - _before_s(step))
