"""What a storm has said, and whether what is in the store afterwards, and what watchers saw, agrees with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Key(NamedTuple):
    """One object of the storm."""

    resource: str
    namespace: str
    name: str


class Write(NamedTuple):
    """One acknowledged write."""

    version: int
    key: Key
    operation: str
    number: int


class Event(NamedTuple):
    """One event that a watcher got."""

    version: int
    key: Key
    type: str


State = Mapping[Key, tuple[int, int]]
"""Version and number of each object."""
_TYPES = {"create": "ADDED", "update": "MODIFIED", "delete": "DELETED"}


@dataclass
class History:
    """A storm's lines, read."""

    start: int = -1
    writes: list[Write] = field(default_factory=list)
    events: dict[str, list[Event]] = field(default_factory=dict)
    conflicts: int = 0


def parse(lines: Iterable[str]) -> History:
    """Read what a storm printed; a line that was cut off by its end is left out by the caller."""
    found = History()
    for line in lines:
        kind, *words = line.split(" ")
        if kind == "S":
            found.start = int(words[0])
        elif kind == "C":
            found.conflicts += 1
        elif kind == "W":
            found.writes.append(Write(int(words[0]), Key(*words[1:4]), words[4], int(words[5])))
        elif kind == "E":
            event = Event(int(words[1]), Key(*words[2:5]), words[5])
            found.events.setdefault(words[0], []).append(event)
        else:
            raise ValueError(f"a storm does not say {line!r}")
    return found


def check(history: History, before: State, after: State, *, version: int) -> list[str]:
    """
    Return what is wrong; empty when nothing is.

    `before` and `after` are what the store held when the storm began and when it was opened again, at `version`.
    """
    wrong: list[str] = []
    expected = dict(before)
    last = history.start
    for write in history.writes:
        if write.version != last + 1:
            wrong.append(f"version {write.version} was given out after {last}")
        last = write.version
        known = expected.get(write.key)
        number = -1 if known is None else known[1]
        if write.operation == "delete":
            expected.pop(write.key, None)
        else:
            if write.number != number + 1:
                wrong.append(f"{write.key} went from {number} to {write.number}: a write was lost or doubled")
            expected[write.key] = (write.version, write.number)
    wrong += _check_state(expected, after, last=last, version=version)
    return wrong + _check_events(history, last)


def _check_state(expected: State, after: State, *, last: int, version: int) -> list[str]:
    """At most one write may have reached the disk whose acknowledgement reached nobody."""
    if version not in (last, last + 1):
        return [f"the store is at version {version}, the last acknowledged write was {last}"]
    changed = [key for key in {*expected, *after} if expected.get(key) != after.get(key)]
    if version == last:
        return [f"{key} is {after.get(key)}, not {expected.get(key)}" for key in changed]
    if len(changed) != 1 or after.get(changed[0], (version, 0))[0] != version:
        return [f"one more write was stored, but these differ: {changed}"]
    return []


def _check_events(history: History, last: int) -> list[str]:
    """Each watcher got every write that is for it, once, in order, up to where it was when all ended."""
    wrong: list[str] = []
    for watcher, events in history.events.items():
        resource = events[0].key.resource
        wanted = [
            Event(write.version, write.key, _TYPES[write.operation])
            for write in history.writes
            if write.key.resource == resource and watcher[1] in ("*", write.key.namespace)
        ]
        if events and events[-1].version == last + 1:
            events = events[:-1]  # of the write whose acknowledgement reached nobody
        if events != wanted[: len(events)]:
            place = next(
                (i for i, pair in enumerate(zip(events, wanted, strict=False)) if pair[0] != pair[1]), -1
            )
            wrong.append(
                f"watcher {watcher}: event {place} of {len(events)} is lost, doubled or out of order"
            )
    return wrong
