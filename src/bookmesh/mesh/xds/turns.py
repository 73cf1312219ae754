"""
Turns for work that many streams want to do at the same moment, such as taking in what a full push means for each.

One piece of it takes some milliseconds. A hundred in one round of the event loop would keep everybody else waiting, so
each gets a round of its own, in the order in which they asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Work inside of `async with turns.next():` and wait for nothing there."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def next(self) -> AsyncIterator[None]:
        async with self._lock:
            yield
            await asyncio.sleep(0)
