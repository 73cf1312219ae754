"""
How far the store has reached the disk, and how to wait for it.

A commit is in the operating system's hands, so it survives the end of this process; it survives a power failure once
it has been synced, which takes a hundred times as long. So all who wait share a sync: one runs at a time, in a thread,
and what is committed meanwhile is covered by the next one, together. Nobody waits for more than two.

A sync that failed cannot be made good: the kernel may have dropped what it could not write. Then nothing is claimed
any more, and the store takes no further write.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable

from bookmesh.kube.store.records import StoreUnusable


class Syncing:
    """Runs syncs while somebody waits."""

    def __init__(self, sync: Callable[[], None], *, newest: Callable[[], int]) -> None:
        """
        Args:
            sync: brings everything that is committed onto the disk; called in a thread, raises OSError.
            newest: the version of the last commit; what there is now is on disk.
        """
        self._sync, self._newest = sync, newest
        self.version = newest()
        self._failure: Exception | None = None
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._is_running = self._is_closed = False
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="store-sync")

    def check(self) -> None:
        """Raise `StoreUnusable` after a failure."""
        if self._failure is not None:
            why = "what was written may not be on disk, nothing more is taken until a new start"
            raise StoreUnusable(f"{why}: {self._failure}") from self._failure

    async def reach(self, version: int) -> None:
        """Wait until everything up to `version` is on disk; raises `StoreUnusable` when it never will be."""
        if version <= self.version:
            return
        self.check()
        loop = asyncio.get_running_loop()
        reached: asyncio.Future[None] = loop.create_future()
        self._waiting.append((version, reached))
        if not self._is_running:
            self._is_running = True
            loop.call_soon(self._begin, loop)  # what else this turn of the loop writes takes part
        await reached
        self.check()

    def close(self) -> None:
        """Sync what is left and release all who wait."""
        if self._is_closed:
            return
        self._is_closed = True
        self._thread.shutdown()
        try:
            self._sync()
        except OSError as error:
            self._failure = error
        self._release(self._newest())

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._is_closed:
            return
        version = self._newest()
        running = loop.run_in_executor(self._thread, self._sync)
        running.add_done_callback(lambda done: self._end(loop, version, done))

    def _end(self, loop: asyncio.AbstractEventLoop, version: int, done: asyncio.Future[None]) -> None:
        try:
            done.result()
        except Exception as error:  # whatever it is, whoever waits must hear of it
            self._failure = error
        self._release(version)
        self._is_running = bool(self._waiting)
        if self._waiting:
            self._begin(loop)

    def _release(self, version: int) -> None:
        """Wake those whose version was synced; after a failure all, so that they hear of it."""
        if self._failure is None:
            self.version = max(self.version, version)
        waiting, self._waiting = self._waiting, []
        for wanted, reached in waiting:
            if wanted > self.version and self._failure is None:
                self._waiting.append((wanted, reached))
            elif not reached.done():  # whoever was cancelled is done
                reached.set_result(None)
