"""
Which tasks may run at the same time: those that share nothing that one of them calls its own.

A task says so with `exclusive`; objects that it makes elsewhere are its own without saying.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from bookmesh.tasks.loading import LoadedTask

MESH: Final = "mesh"
"""Who claims it changes what all others depend on, and runs alone."""


def claims_of(loaded: LoadedTask) -> frozenset[str]:
    """List what a task must have for itself."""
    own = (f"{each.kind} {each.namespace}/{each.name}" for each in loaded.task.elsewhere)
    return frozenset((*loaded.task.exclusive, *own))


class Schedule:
    """
    Hands out tasks to workers, in order as far as claims allow; those that must run alone come last.

    Thread-safe. Every task that was taken must be given back with `done`.
    """

    def __init__(self, tasks: Sequence[LoadedTask]) -> None:
        claims = [claims_of(loaded) for loaded in tasks]
        order = sorted(range(len(tasks)), key=lambda index: MESH in claims[index])
        self._claims = claims
        self._waiting = order
        self._running: set[int] = set()
        self._changed = threading.Condition()
        self._is_stopped = False

    def take(self) -> int | None:
        """Wait for a task that may run now and return its index; None when none is left."""
        with self._changed:
            while self._waiting and not self._is_stopped:
                for index in self._waiting:
                    if self._may_run(index):
                        self._waiting.remove(index)
                        self._running.add(index)
                        return index
                self._changed.wait()
            return None

    def done(self, index: int) -> None:
        """Give back what a task claimed."""
        with self._changed:
            self._running.remove(index)
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def _may_run(self, index: int) -> bool:
        if MESH in self._claims[index]:
            return not self._running
        others = [self._claims[other] for other in self._running]
        return not any(MESH in claims or claims & self._claims[index] for claims in others)
