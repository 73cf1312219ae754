"""Task files to tasks: YAML, types, rules. Every problem is told with its file, line and field path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from bookmesh.base import near_misses
from bookmesh.base.findings import Finding
from bookmesh.tasks import format as formats
from bookmesh.tasks import rules

FILE_NAME = "task.yaml"
_AT = re.compile(r" - at `\$\.?(?P<path>.*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`")


class TaskFileError(Exception):
    """Files that are no tasks; `findings` name file, line and field, one a problem."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("\n".join(f"{each.where}: {each.message}" for each in findings))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class LoadedTask:
    """A task and where it came from. `area` is the folder path above the task's, "" for a file of one's own."""

    task: formats.Task
    file: Path
    area: str = ""

    @property
    def directory(self) -> Path:
        return self.file.parent

    @property
    def key(self) -> str:
        """What a person selects it by: `traffic-management/mirroring`, or the bare id."""
        return f"{self.area}/{self.task.id}" if self.area else self.task.id


def load(file: Path, *, area: str = "") -> LoadedTask:
    """
    Load one task file.

    Raises:
        TaskFileError: it cannot be read, is not YAML, or is not a task; all problems of its rules are told.
    """
    try:
        text = file.read_text()
        document = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise TaskFileError(_finding(f"it cannot be read: {error}", str(file))) from error
    except yaml.composer.ComposerError as error:
        if not error.context:  # an alias without its anchor
            raise TaskFileError(_not_yaml(error, file)) from error
        raise TaskFileError(_not_a_task("it has several YAML documents, and a case is one", file)) from error
    except yaml.YAMLError as error:
        raise TaskFileError(_not_yaml(error, file)) from error
    if isinstance(document, dict) and {"apiVersion", "kind"} <= document.keys():
        raise TaskFileError(_not_a_task(f"it is a Kubernetes {document['kind']}, not a case", file))
    try:
        task = msgspec.convert(document, formats.Task)
    except msgspec.ValidationError as error:
        raise TaskFileError(*_locate(file, text, [_explain(str(error))])) from error
    problems = list(rules.check_task(task, file.parent))
    if problems:
        raise TaskFileError(*_locate(file, text, problems))
    return LoadedTask(task, file, area)


def discover(catalogue: Path) -> list[LoadedTask]:
    """
    Load every task of a catalogue, sorted by key.

    Raises:
        TaskFileError: one is wrong, or there is none, or two have the same key.
    """
    files = sorted(catalogue.glob(f"**/{FILE_NAME}"))
    if not files:
        raise TaskFileError(_finding(f"there is no {FILE_NAME} below it", str(catalogue)))
    found: dict[str, LoadedTask] = {}
    for file in files:
        area = file.parent.relative_to(catalogue).parent
        loaded = load(file, area="" if area == Path() else area.as_posix())
        if loaded.key in found:
            raise TaskFileError(_finding(f"{found[loaded.key].file} is also called {loaded.key}", str(file)))
        found[loaded.key] = loaded
    return sorted(found.values(), key=lambda loaded: loaded.key)


def line_in(file: Path, path: str) -> int:
    """Find the line of a field path such as `steps[0].expect[1]`, from 1; of the innermost part that is there."""
    return _line_of(yaml.compose(file.read_text(), Loader=yaml.SafeLoader), _parts(path))


def _not_a_task(message: str, file: Path) -> Finding:
    return Finding(
        code="BM0401",
        message=message,
        where=str(file),
        hint=f"write a case with id, title and steps, one of which says apply: [{file.name}]; "
        "docs/guides/testing-your-own-mesh.md has one to copy",
    )


def _not_yaml(error: yaml.YAMLError, file: Path) -> Finding:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return _finding(f"it is not YAML: {error.problem}", f"{file}:{error.problem_mark.line + 1}")
    return _finding(f"it is not YAML: {error}", str(file))


def _explain(message: str) -> rules.Problem:
    """Turn msgspec's words into a path and a message."""
    at = _AT.search(message)
    path = at["path"] if at else ""
    text = message[: at.start()] if at else message
    if unknown := _UNKNOWN.match(text):
        name = unknown["name"]
        guess = near_misses.did_you_mean(name, formats.field_names())
        return rules.Problem(
            f"{path}.{name}".lstrip("."), f'"{name}" is not a field of the format', hint=guess
        )
    return rules.Problem(path, text)


def _locate(file: Path, text: str, problems: Iterable[rules.Problem]) -> Iterator[Finding]:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for problem in problems:
        line = _line_of(root, _parts(problem.path))
        where = f"{file}:{line}" + (f"  {problem.path}" if problem.path else "")
        yield _finding(problem.message, where, hint=problem.hint)


def _finding(message: str, where: str, *, hint: str = "") -> Finding:
    return Finding(
        code="BM0401",
        message=message,
        where=where,
        hint=f"{hint}the format is in docs/reference/tasks.md",
    )


def _parts(path: str) -> list[str | int]:
    """Split `steps[0].expect[1].status`; msgspec writes `[...]` for a mapping's key."""
    return [
        int(index) if index else name
        for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path.replace("[...]", ""))
    ]


def _line_of(node: Any, parts: Sequence[str | int]) -> int:
    """Return the line of the innermost part that stands in the file, from 1."""
    line = node.start_mark.line if node else 0
    for part in parts:
        child = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
                    line, child = key.start_mark.line, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            child = node.value[part]
            line = child.start_mark.line
        if child is None:
            break
        node = child
    return int(line) + 1
