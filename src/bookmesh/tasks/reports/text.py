"""Results for a terminal: one line a task; of a task that did not pass, every expectation with before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bookmesh.tasks.records import ExpectationResult, Result

MARKS = {"passed": "✓", "failed": "✗", "broken": "!"}


def line(result: Result) -> str:
    """One task in one line."""
    steps = f"{counted(len(result.steps), 'step')}, {counted(result.checks, 'check')}"
    return f"{MARKS[result.outcome]} {result.key:<52} {result.took_s:6.1f} s  {steps}"


def explain(result: Result) -> str:
    """Tell what went wrong, step by step; "" for a task that passed."""
    if result.outcome == "passed":
        return ""
    return "\n".join(_explain(result))


def summarize(results: Sequence[Result], took_s: float) -> str:
    """The last line."""
    counts = {outcome: sum(1 for each in results if each.outcome == outcome) for outcome in MARKS}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    checks = sum(result.checks for result in results)
    return (
        f"{counted(len(results), 'task')}: {told or 'none'}; {counted(checks, 'check')} held; {took_s:.1f} s"
    )


def counted(number: int, noun: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _explain(result: Result) -> Iterator[str]:
    yield f"{result.outcome}: {result.key}  (namespace {result.namespace})"
    for finding in result.findings:
        yield finding.render()
    for step in result.steps:
        yield f"  {MARKS[step.outcome]} {step.name}  {step.took_s:.1f} s"
        if (
            step.finding
            and step.outcome == "failed"
            and all(e.outcome == "passed" for e in step.expectations)
        ):
            yield f"          {step.message}"
        for expectation in step.expectations:
            if expectation.outcome != "passed" or step.outcome == "passed":
                yield from _explain_expectation(expectation)


def _explain_expectation(expectation: ExpectationResult) -> Iterator[str]:
    yield f"      {MARKS[expectation.outcome]} {expectation.name}"
    if expectation.outcome == "passed":
        return
    yield f"          {expectation.message}"
    yield f"          probe:  {expectation.probe}"
    if expectation.before:
        yield f"          before: {'; '.join(verdict.text for verdict in expectation.before.verdicts)}"
    if expectation.after:
        yield f"          after:  {'; '.join(verdict.text for verdict in expectation.after.verdicts)}"
        yield f"          tried:  {counted(expectation.attempts, 'time')}"
