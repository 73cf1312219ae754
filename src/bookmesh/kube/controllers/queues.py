"""
A queue of keys to look at.

A key that waits already is not queued twice; a key that comes in while it is being worked on is handed out again
only after that (`done`), so one key is never in two hands. Later means a timer of the event loop: nothing polls.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)

FIRST_RETRY_S = 0.005
LAST_RETRY_S = 30.0


class WorkQueue(Generic[KeyT]):
    """Not thread-safe: everything on one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[KeyT, None] = {}
        self._in_hand: set[KeyT] = set()
        self._again: set[KeyT] = set()
        self._failures: dict[KeyT, int] = {}
        self._timers: dict[KeyT, asyncio.TimerHandle] = {}
        self._takers: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: KeyT) -> None:
        """Queue a key now; a timer for it is spent."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if key in self._in_hand:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting[key] = None
            self._wake_one()

    def add_after(self, key: KeyT, delay_s: float) -> None:
        """Queue a key after `delay_s` seconds, or sooner when another wish or a change comes first."""
        if delay_s <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= loop.time() + delay_s:
                return
            timer.cancel()
        self._timers[key] = loop.call_later(delay_s, self.add, key)

    def retry(self, key: KeyT) -> float:
        """
        Queue a key that failed after its next back-off: 5 ms, doubling up to 30 s.

        Returns:
            The delay in seconds.
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay_s = min(FIRST_RETRY_S * 2.0 ** min(failures, 30), LAST_RETRY_S)
        self.add_after(key, delay_s)
        return delay_s

    def forget(self, key: KeyT) -> None:
        """Note that a key went well: its next failure is its first."""
        self._failures.pop(key, None)

    async def take(self) -> KeyT:
        """Wait for the oldest waiting key; the caller must call `done` with it, whatever happened."""
        while not self._waiting:
            taker = asyncio.get_running_loop().create_future()
            self._takers.append(taker)
            try:
                await taker
            except asyncio.CancelledError:
                if taker.done() and not taker.cancelled():
                    self._wake_one()
                raise
        key = next(iter(self._waiting))
        del self._waiting[key]
        self._in_hand.add(key)
        return key

    def done(self, key: KeyT) -> None:
        self._in_hand.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def close(self) -> None:
        """Cancel all timers; keys that wait stay."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _wake_one(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return
