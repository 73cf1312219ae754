"""
What sandboxes use of the machine, read from /proc: no control group is needed, so it is the same for every user.

A process belongs to the sandbox whose PID namespace it is in, whether the sandbox's first process started it or a
command that was executed beside it. Time of processes that ended is counted by the process that waited for them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_TIMES: Final = slice(11, 15)
"""utime, stime, cutime, cstime in what follows the command's name in /proc/PID/stat."""
_IDLE: Final = (3, 4)
"""idle and iowait in a line of /proc/stat."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of processor time since the start, and bytes of memory now; shared pages count in proportion."""

    cpu_s: float
    memory: int


def read_sandboxes(first_processes: Iterable[int], *, proc: Path = Path("/proc")) -> dict[int, Usage]:
    """
    Add up what runs in each sandbox; blocks for about a millisecond per process.

    Returns:
        By the pid of the sandbox's first process; one that has ended meanwhile is missing.
    """
    found: dict[int, Usage] = {}
    for first, directory in _members(first_processes, proc):
        usage = _read_process(directory)
        if usage is not None:
            sofar = found.get(first, Usage(0.0, 0))
            found[first] = Usage(sofar.cpu_s + usage.cpu_s, sofar.memory + usage.memory)
    return found


def read_resident(first_processes: Iterable[int], *, proc: Path = Path("/proc")) -> dict[int, int]:
    """Add up the resident bytes of each sandbox: more than its memory where pages are shared, but much faster."""
    found: dict[int, int] = {}
    for first, directory in _members(first_processes, proc):
        try:
            pages = int((directory / "statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        found[first] = found.get(first, 0) + pages * _PAGE_BYTES
    return found


def _members(first_processes: Iterable[int], proc: Path) -> Iterator[tuple[int, Path]]:
    """Yield each process of the sandboxes: the first process of its sandbox, and its directory."""
    sandboxes = {}
    for pid in first_processes:
        if (namespace := _namespace(proc / str(pid))) is not None:
            sandboxes[namespace] = pid
    for directory in proc.iterdir() if sandboxes else ():
        if directory.name.isdecimal():
            first = sandboxes.get(_namespace(directory) or 0)
            if first is not None:
                yield first, directory


def read_machine(*, proc: Path = Path("/proc"), processors: Iterable[int] | None = None) -> Usage:
    """Read what all of the machine uses: time on the processors that are ours, memory that is not available."""
    wanted = {f"cpu{number}" for number in (os.sched_getaffinity(0) if processors is None else processors)}
    busy = 0
    for line in (proc / "stat").read_text().splitlines():
        name, *counts = line.split()
        if name in wanted:
            # Time of guests, from the ninth column on, is part of the user's time already.
            busy += sum(int(count) for index, count in enumerate(counts[:8]) if index not in _IDLE)
    facts = dict(line.split(":", 1) for line in (proc / "meminfo").read_text().splitlines())
    used_kib = int(facts["MemTotal"].split()[0]) - int(facts["MemAvailable"].split()[0])
    return Usage(busy * _TICK_S, used_kib * 1024)


def parse_cpu(stat: str) -> float:
    """Read the seconds of processor time out of /proc/PID/stat; the command in it may contain anything."""
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[_TIMES])) * _TICK_S


def parse_memory(rollup: str) -> int:
    """Read the bytes of memory out of /proc/PID/smaps_rollup: the pages, each divided by those who share it."""
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _read_process(directory: Path) -> Usage | None:
    """None when the process has ended meanwhile."""
    try:
        return Usage(
            parse_cpu((directory / "stat").read_text()),
            parse_memory((directory / "smaps_rollup").read_text()),
        )
    except (FileNotFoundError, ProcessLookupError):
        return None


def _namespace(directory: Path) -> int | None:
    """Identify the PID namespace of a process; None when it has ended, or is not ours to look into."""
    try:
        return os.stat(directory / "ns" / "pid").st_ino
    except OSError:
        return None
