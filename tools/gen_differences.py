"""
Write docs/reference/differences.md from the entries in docs/reference/differences/, one file a number.

    python tools/gen_differences.py            write the page
    python tools/gen_differences.py --check    exit 1, with a diff, when the page is not what would be written

An entry has `title`, `lab` (how it is here), `why`, and `tasks`: globs over the keys of those catalogue tasks whose
course depends on the difference. A number that once stood in the page stays: without its file nothing is written.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from bookmesh.tasks import loading, verifying

ROOT = Path(__file__).resolve().parents[1]
ENTRIES = ROOT / "docs" / "reference" / "differences"
PAGE = ENTRIES.with_suffix(".md")
CATALOGUE = ROOT / "tasks"
_NUMBER = re.compile(r"BM-D\d{3}")
_FIELDS = {"title": str, "lab": str, "why": str, "tasks": list}

INTRODUCTION = """\
# Differences

<!-- Generated from the files in docs/reference/differences, one a number: change them, then run `make gen`. -->

How the lab differs from Kubernetes and Istio on a cluster. Each entry keeps its number for good. What is not listed
here and behaves differently is a bug.

| number | what | in the lab | why |
|---|---|---|---|
"""
TASKS_HEADING = """
## Tasks that meet a difference

What these tasks of the catalogue show, or how, depends on a difference. Of the others none is known to.

| task | differences |
|---|---|
"""


class Difference(NamedTuple):
    """One entry."""

    number: str
    title: str
    lab: str
    why: str
    tasks: tuple[str, ...]


def read(folder: Path) -> list[Difference]:
    """
    Read all entries, by number.

    Raises:
        ValueError: a file is not named as a number, has other fields, or lacks one.
    """
    found = []
    for file in sorted(folder.iterdir()):
        if file.suffix != ".yaml" or not _NUMBER.fullmatch(file.stem):
            raise ValueError(f"{file.name}: is not named BM-Dnnn.yaml")
        fields = yaml.safe_load(file.read_text())
        if not isinstance(fields, dict):
            raise ValueError(f"{file.name}: is no mapping")
        for name, value in fields.items():
            if not isinstance(value, _FIELDS.get(name, ())):
                raise ValueError(
                    f"{file.name}: {name} is not one of {', '.join(_FIELDS)}, or has the wrong type"
                )
        if missing := {"title", "lab", "why"} - set(fields):
            raise ValueError(f"{file.name}: lacks {', '.join(sorted(missing))}")
        found.append(Difference(file.stem, tasks=tuple(fields.pop("tasks", ())), **fields))
    return found


def build_page(
    differences: Sequence[Difference], tasks: Sequence[loading.LoadedTask], before: str = ""
) -> str:
    """
    Build the page.

    Args:
        before: the page as it is; each of its numbers must still have an entry.

    Raises:
        ValueError: a number has lost its entry, or a glob matches no task.
    """
    known = {each.number for each in differences}
    if lost := sorted(set(re.findall(r"^\| (BM-D\d{3}) ", before, re.MULTILINE)) - known):
        raise ValueError(
            f"{', '.join(lost)} in {PAGE.name} without a file in {ENTRIES.name}/: numbers stay for good"
        )
    page = INTRODUCTION
    for each in differences:
        page += f"| {each.number} | {' | '.join(map(_cell, (each.title, each.lab, each.why)))} |\n"
    met = _tasks_met(differences, tasks)
    if met:
        page += TASKS_HEADING
        page += "".join(f"| `{key}` | {', '.join(numbers)} |\n" for key, numbers in sorted(met.items()))
    return page


def _tasks_met(
    differences: Sequence[Difference], tasks: Sequence[loading.LoadedTask]
) -> dict[str, list[str]]:
    met: dict[str, list[str]] = {}
    for each in differences:
        for pattern in each.tasks:
            chosen = verifying.select(tasks, [pattern])
            if not chosen:
                raise ValueError(f"{each.number}.yaml: no task of the catalogue matches {pattern}")
            for loaded in chosen:
                met.setdefault(loaded.key, []).append(each.number)
    return met


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(arguments: Sequence[str]) -> int:
    """Run the program; returns its exit code."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write(f"usage: {Path(__file__).name} [--check]\n")
        return 2
    before = PAGE.read_text() if PAGE.exists() else ""
    try:
        page = build_page(read(ENTRIES), loading.discover(CATALOGUE), before)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not arguments:
        PAGE.write_text(page)
        return 0
    if before == page:
        return 0
    diff = difflib.unified_diff(
        before.splitlines(), page.splitlines(), "as it is", "as generated", lineterm=""
    )
    advice = f"docs/reference/{PAGE.name} is not up to date: change the files in {ENTRIES.name}/, then run `make gen`"
    sys.stderr.write("\n".join([*diff, advice, ""]))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
