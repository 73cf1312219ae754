"""
When to build: at once after a quiet time, and then no more often than is good for everybody else.

Changes come in bursts: one `kubectl apply` writes several objects a few milliseconds apart. The first is acted on
immediately, the others merge into the next build. Builds share the event loop with the API server, so after each one
there is a pause at least as long as the build itself kept it busy. Time in which other programs had the processor does
not count: on a busy machine everybody would hear of an end of a pod twice as late.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

INTERVAL_S: Final = 0.008


class Pace:
    """
    Call `mark` for each change, `next` to wait for work, and `done` when it is done. `effort` is the time for which
    this thread has had a processor.

    `marked_s` is the time, on `clock`, of the oldest change that the current piece of work covers.
    """

    def __init__(
        self,
        *,
        interval_s: float = INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
        effort: Callable[[], float] = time.thread_time,
    ) -> None:
        self.marked_s = 0.0
        self._interval_s = interval_s
        self._clock = clock
        self._effort = effort
        self._event = asyncio.Event()
        self._oldest_s: float | None = None
        self._earliest_s = 0.0
        self._spent_s = 0.0

    def mark(self) -> None:
        if self._oldest_s is None:
            self._oldest_s = self._clock()
        self._event.set()

    async def next(self) -> None:
        """Return when there is something to do and enough time has passed since the last piece of work."""
        await self._event.wait()
        if (wait_s := self._earliest_s - self._clock()) > 0:
            await asyncio.sleep(wait_s)
        self._event.clear()
        self._spent_s = self._effort()
        self.marked_s = self._clock() if self._oldest_s is None else self._oldest_s
        self._oldest_s = None

    def done(self) -> None:
        self._earliest_s = self._clock() + max(self._interval_s, self._effort() - self._spent_s)
