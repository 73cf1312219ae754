"""
A store whose process is killed in the middle of things, again and again: nothing acknowledged is lost or doubled.

A few rounds run with every test run; `make torture` runs 200.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.torture import history

from bookmesh.kube.store import store

STORM = Path(__file__).with_name("storm.py")
ROUNDS = 200
SOME_ROUNDS = 6


def rage(path: Path, dice: random.Random) -> history.History:
    """Let a storm rage for a moment and kill it."""
    process = subprocess.Popen(
        [sys.executable, STORM, path, str(dice.randrange(1 << 30))],
        stdout=subprocess.PIPE,
        bufsize=0,  # what were in a buffer would be missing in what is read after the end
    )
    assert process.stdout is not None
    try:
        head = process.stdout.readline()
        time.sleep(dice.random() * 0.15)  # a moment at random is what this is about
    finally:
        os.kill(process.pid, signal.SIGKILL)
    said, _ = process.communicate(timeout=60)
    lines = (head + said).decode().split("\n")
    return history.parse(lines[:-1])  # what follows the last newline was cut off


def state_of(path: Path) -> tuple[history.State, int]:
    """What a store holds, and the version of its last write."""
    objects = store.Store.open(path)
    try:
        found = {
            history.Key(str(stored.group_resource), stored.namespace, stored.name): (
                stored.version,
                stored.object["data"]["number"],
            )
            for table in list(objects._tables)
            for stored in objects.list(table)
        }
        return found, objects.version
    finally:
        objects.close()


def torture(path: Path, rounds: int) -> str:
    """Run rounds on one store; returns what came of them, in one line."""
    dice = random.Random(20260101)
    before, version = state_of(path)
    writes = events = conflicts = unheard = 0
    for number in range(rounds):
        said = rage(path, dice)
        after, version = state_of(path)
        wrong = history.check(said, before, after, version=version)
        assert wrong == [], f"round {number}: {wrong[:5]}"
        writes += len(said.writes)
        events += sum(len(each) for each in said.events.values())
        conflicts += said.conflicts
        unheard += said.start + len(said.writes) < version
        before = after
    assert version >= writes
    return (
        f"{rounds} rounds: {writes} writes acknowledged, {conflicts} refused as overtaken, {events} events, "
        f"{unheard} writes stored whose acknowledgement nobody heard; 0 lost, 0 doubled, 0 out of order"
    )


def test_some_rounds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = torture(tmp_path / "store.db", SOME_ROUNDS)
    with capsys.disabled():
        sys.stdout.write(f"\n{result}\n")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_rounds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = torture(tmp_path / "store.db", ROUNDS)
    with capsys.disabled():
        sys.stdout.write(f"\n{result}\n")


KEY = history.Key("configmaps", "a", "x")
CREATED = history.Write(1, KEY, "create", 0)
CHANGED = history.Write(2, KEY, "update", 1)


def _history(*writes: history.Write, events: list[history.Event] | None = None) -> history.History:
    return history.History(0, list(writes), {"0*": events} if events else {})


def _events(*writes: history.Write) -> list[history.Event]:
    types = {"create": "ADDED", "update": "MODIFIED", "delete": "DELETED"}
    return [history.Event(write.version, write.key, types[write.operation]) for write in writes]


@pytest.mark.parametrize(
    ("said", "after", "version"),
    [
        (_history(CREATED, CHANGED), {KEY: (1, 0)}, 2),
        (_history(CREATED, CHANGED), {KEY: (2, 1)}, 4),
        (_history(CREATED, CHANGED), {}, 1),
        (_history(CREATED, CHANGED._replace(version=3)), {KEY: (3, 1)}, 3),
        (_history(CREATED, CHANGED._replace(number=2)), {KEY: (2, 2)}, 2),
        (_history(CREATED, CHANGED, events=_events(CHANGED)), {KEY: (2, 1)}, 2),
        (_history(CREATED, CHANGED, events=_events(CREATED, CREATED)), {KEY: (2, 1)}, 2),
        (_history(CREATED, CHANGED, events=_events(CHANGED, CREATED)), {KEY: (2, 1)}, 2),
        (_history(CREATED), {KEY: (1, 0), KEY._replace(name="y"): (1, 0)}, 2),
    ],
    ids=[
        "an older state",
        "a version from nowhere",
        "an older version",
        "a gap between versions",
        "a doubled write",
        "a lost event",
        "a doubled event",
        "events out of order",
        "one more object of an older version",
    ],
)
def test_what_must_not_be_is_found(said: history.History, after: history.State, version: int) -> None:
    assert history.check(said, {}, after, version=version) != []


def test_a_write_that_nobody_heard_of_may_be_there_or_not() -> None:
    said = _history(CREATED, events=_events(CREATED, CHANGED))
    assert history.check(said, {}, {KEY: (1, 0)}, version=1) == []
    assert history.check(said, {}, {KEY: (2, 1)}, version=2) == []
    assert history.check(said, {}, {}, version=2) == []
