"""
History of changes, and watches that replay it and then follow.

A watch owns a queue of references to shared changes. A consumer that falls further behind than the history reaches
is cut off with `Expired`, exactly as if it had come back with a version that is too old: memory stays bounded and a
gap is never silent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from bookmesh.kube.store.records import Change, Expired, GroupResource

# A parsed object takes about nine times the memory of its JSON; this keeps the whole history under some 150 MB.
_HISTORY_BYTES = 16 * 1024 * 1024


class Watch:
    """
    Async iterator of the changes of one resource, in version order and without gaps.

    Ends after `close()` or when the store closes; raises `Expired` when the consumer fell too far behind.
    """

    def __init__(
        self,
        group_resource: GroupResource,
        namespace: str,
        *,
        since: int,
        limit: int,
        forget: Callable[[Watch], None],
    ) -> None:
        self.group_resource = group_resource
        self.namespace = namespace
        self._delivered = since
        self._limit = limit
        self._forget = forget
        self._queue: deque[Change] = deque()
        self._expired: Expired | None = None
        self._closed = False
        self._wake = asyncio.Event()

    def offer(self, change: Change) -> None:
        """Queue `change` if it is of interest; the store calls this in version order."""
        if self._closed or self._expired or self.namespace not in ("", change.stored.namespace):
            return
        if len(self._queue) >= self._limit:
            self._expired = Expired(self._delivered, change.stored.version)
            self._queue.clear()
            self._forget(self)
        else:
            self._queue.append(change)
        self._wake.set()

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> Change:
        while True:
            if self._closed:
                raise StopAsyncIteration
            if self._expired:
                raise self._expired
            if self._queue:
                change = self._queue.popleft()
                self._delivered = change.stored.version
                return change
            self._wake.clear()
            await self._wake.wait()

    def close(self) -> None:
        """End the iteration, dropping what was not consumed yet. May be called twice."""
        self._closed = True
        self._queue.clear()
        self._forget(self)
        self._wake.set()


class History:
    """The latest changes of all resources, oldest first, bounded in number and in bytes."""

    def __init__(self, *, start: int, limit: int) -> None:
        """Begin empty at version `start`: changes up to and including it are unknown."""
        self.limit = limit
        self._start = start
        self._bytes = 0
        self._all: deque[Change] = deque()
        self._by_resource: dict[GroupResource, deque[Change]] = {}
        self._forgotten: dict[GroupResource, int] = {}

    def append(self, change: Change) -> None:
        """Remember `change`; the oldest ones are forgotten to make room."""
        self._all.append(change)
        self._by_resource.setdefault(change.stored.group_resource, deque()).append(change)
        self._bytes += len(change.stored.raw)
        while len(self._all) > self.limit or (self._bytes > _HISTORY_BYTES and len(self._all) > 1):
            oldest = self._all.popleft()
            self._by_resource[oldest.stored.group_resource].popleft()
            self._forgotten[oldest.stored.group_resource] = oldest.stored.version
            self._bytes -= len(oldest.stored.raw)

    def since(self, group_resource: GroupResource, version: int) -> list[Change]:
        """Return the changes of one resource after `version`, oldest first; raises `Expired`."""
        oldest = self._forgotten.get(group_resource, self._start)
        if version < oldest:
            raise Expired(version, oldest)
        newer: list[Change] = []
        for change in reversed(self._by_resource.get(group_resource, ())):
            if change.stored.version <= version:
                break
            newer.append(change)
        newer.reverse()
        return newer
