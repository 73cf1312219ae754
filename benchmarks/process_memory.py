"""The memory of a process and of all that it started: proportional set sizes, which count shared pages once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path


def memory_mb(root: int) -> float:
    """Of a process and all its descendants together."""
    return sum(size for _, _, size in sizes(root))


def sizes(root: int) -> Iterator[tuple[int, str, float]]:
    """Process id, name and MB of a process and each of its descendants; those that end meanwhile are left out."""
    children = _children()
    todo = [root]
    while todo:
        pid = todo.pop()
        todo += children.get(pid, [])
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        yield pid, name, int(found[1]) / 1024 if found else 0.0


def _children() -> dict[int, list[int]]:
    """The processes that each one started."""
    found: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parent = int(text[text.rindex(")") + 2 :].split()[1])
        found.setdefault(parent, []).append(int(stat.parent.name))
    return found
