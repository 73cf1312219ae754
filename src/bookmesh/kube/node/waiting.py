"""What tasks of the node wait for: something that happens again and again, and a moment that may come earlier."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Any

_log = logging.getLogger(__name__)


class Signal:
    """
    Wakes everybody who waits, each time it fires. It remembers nothing.

    Look whether there is anything to do, then call `wait`, without awaiting anything in between: nothing can be missed.
    """

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def wait(self) -> asyncio.Future[None]:
        """Begin to wait now, with the call: what fires from here on ends it. To be awaited, or cancelled."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        waiter.add_done_callback(self._waiters.discard)
        return waiter


class Deadline:
    """A moment on the loop's clock that can be moved forward while somebody waits for it."""

    def __init__(self, seconds: float) -> None:
        self._at = asyncio.get_running_loop().time() + seconds
        self._moved = Signal()

    def remaining_s(self) -> float:
        """Seconds left, >= 0."""
        return max(0.0, self._at - asyncio.get_running_loop().time())

    def shorten(self, seconds: float) -> None:
        """Let it be at most `seconds` from now; it is never moved back."""
        at = asyncio.get_running_loop().time() + seconds
        if at < self._at:
            self._at = at
            self._moved.fire()

    async def wait(self) -> None:
        while (remaining := self.remaining_s()) > 0:
            try:
                async with asyncio.timeout(remaining):
                    await self._moved.wait()
            except TimeoutError:
                continue


async def first_of(*waits: Awaitable[Any], timeout_s: float | None = None) -> None:
    """Return when one of `waits` is done or the time is over; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end_tasks(tasks)


async def end_tasks(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel what still runs and wait until it has ended. What a task returned is dropped, what it raised is logged."""
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            _log.error("a task of the node failed", exc_info=result)
