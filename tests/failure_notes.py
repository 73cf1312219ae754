"""
What a failed test leaves in the report beside its traceback, so that one run is enough to find the cause.

When it ran and how busy the machine was; of each lab that it used, the end of what the lab process said, the pods that
are not ready and the latest warnings.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.lab import labs

LINES = 25
"""The most of one kind."""
WIDTH = 300
WAIT_S = 20.0
EVENTS = (
    "custom-columns=TIME:.lastTimestamp,NAMESPACE:.metadata.namespace,KIND:.involvedObject.kind,"
    "NAME:.involvedObject.name,REASON:.reason,COUNT:.count,MESSAGE:.message"
)

Section = tuple[str, str]


def sections(arguments: Mapping[str, object], call: pytest.CallInfo[None]) -> Iterator[Section]:
    """Titles and texts about a test that failed with these values of its fixtures."""
    yield "This machine", _text(_machine(call))
    for lab in _labs_in(arguments):
        yield f"Lab {lab.name}: the end of its log", _text(_end_of(lab.directory / "daemon.log"))
        if (lab.directory / "daemon.pid").exists():
            yield f"Lab {lab.name}: pods that are not ready, and the latest warnings", _text(_state(lab))


def _text(lines: Iterator[str]) -> str:
    """Lines as a text. What goes wrong with them must not end the run, and is told in their place."""
    try:
        return "\n".join(line[:WIDTH] for line in lines) or "none"
    except Exception as error:
        return f"not known: {error!r}"


def _machine(call: pytest.CallInfo[None]) -> Iterator[str]:
    began, ended = (
        datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%H:%M:%S.%f")[:-3]
        for moment in (call.start, call.stop)
    )
    yield f"{call.when} from {began} to {ended} UTC, {call.duration:.1f} s; user {os.geteuid()}"
    load = " ".join(f"{part:.1f}" for part in os.getloadavg())
    yield f"load {load} on {os.cpu_count()} processors; {len(os.listdir('/proc/self/fd'))} files open here"
    memory = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    yield f"memory available {memory['MemAvailable'].strip()} of {memory['MemTotal'].strip()}"


def _labs_in(arguments: Mapping[str, object]) -> list[labs.Lab]:
    """The labs among the values of fixtures, and those that one of them has made; each once, in order."""
    found: dict[str, labs.Lab] = {}
    for value in arguments.values():
        for lab in value.made if isinstance(value, labs.Maker) else (value,):
            if isinstance(lab, labs.Lab):
                found[lab.name] = lab
    return list(found.values())


def _end_of(log: Path) -> Iterator[str]:
    yield from log.read_text(errors="replace").splitlines()[-LINES:]


def _state(lab: labs.Lab) -> Iterator[str]:
    pods = lab.kubectl("get", "pods", "-A", "--no-headers", check=False, timeout=WAIT_S)
    yield from [line for line in pods.stdout.splitlines() if not _is_ready(line)][:LINES]
    events = lab.kubectl(
        *("get", "events", "-A", "--field-selector=type=Warning", "--sort-by=.lastTimestamp"),
        *("--no-headers", "-o", EVENTS),
        check=False,
        timeout=WAIT_S,
    )
    yield from events.stdout.splitlines()[-LINES:]
    yield from (pods.stderr + events.stderr).splitlines()


def _is_ready(line: str) -> bool:
    """Whether a line of `kubectl get pods -A` is about a pod as it should be."""
    _, _, containers, status, *_ = line.split()
    ready, _, all_ = containers.partition("/")
    return status == "Completed" or (status == "Running" and ready == all_)
