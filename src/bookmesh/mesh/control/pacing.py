"""
When to build: at once after a quiet time, and then no more often than is good for everybody else.

Changes come in bursts: one `kubectl apply` writes several objects a few milliseconds apart. The first is acted on
immediately, the others merge into the next build. Builds share the event loop with the API server, so after each one
there is a pause at least as long as the build itself took.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

INTERVAL_S: Final = 0.008


class Pace:
    """
    Call `mark` for each change, `next` to wait for work, and `done` when it is done.

    `marked_s` is the time, on `clock`, of the oldest change that the current piece of work covers.
    """

    def __init__(
        self, *, interval_s: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.marked_s = 0.0
        self._interval_s = interval_s
        self._clock = clock
        self._event = asyncio.Event()
        self._oldest_s: float | None = None
        self._earliest_s = 0.0
        self._started_s = 0.0

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
        self._started_s = self._clock()
        self.marked_s = self._started_s if self._oldest_s is None else self._oldest_s
        self._oldest_s = None

    def done(self) -> None:
        now_s = self._clock()
        self._earliest_s = now_s + max(self._interval_s, now_s - self._started_s)
