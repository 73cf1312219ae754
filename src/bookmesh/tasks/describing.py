"""A task in words, for `bookmesh task show`."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.tasks import format as formats
from bookmesh.tasks import manifests, probing
from bookmesh.tasks.loading import LoadedTask


def describe(loaded: LoadedTask) -> str:
    """Say what a task does and expects, with the YAML it applies."""
    return "\n".join(_lines(loaded))


def _lines(loaded: LoadedTask) -> Iterator[str]:
    task = loaded.task
    yield f"{loaded.key}: {task.title}"
    for text in (task.summary.strip(), task.page, str(loaded.file)):
        if text:
            yield text
    for number, step in enumerate(task.steps, start=1):
        action = formats.action_of(step)
        yield f"\n{number}. {step.name}  ({action}, within {step.within})"
        for expectation in step.expect:
            control = "fails before" if expectation.before == "fails" else "holds before too"
            yield f"   - {expectation.name}  ({control})"
            yield f"     {probing.describe(expectation)}"
        entries = getattr(step, action) if action in ("apply", "delete") else ()
        readable = [each for each in entries if isinstance(each, dict) or (loaded.directory / each).is_file()]
        if readable:
            text = manifests.read(readable, loaded.directory, "${namespace}")
            yield "".join(f"     | {line}\n" for line in text.splitlines()).rstrip("\n")
