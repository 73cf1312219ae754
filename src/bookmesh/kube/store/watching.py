"""
Watches: places in the history that move on.

A watch holds no changes of its own, only the version up to which it has read. However slow its reader is, it costs
nothing but that; when the history has forgotten what would be next, the reader is told `Expired`, exactly as if it had
come back with a version that is too old.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from bookmesh.kube.store.history import History
from bookmesh.kube.store.records import Change, GroupResource

_SOME_BYTES = 64 * 1024


class Watch:
    """
    The changes of one resource, in version order and without gaps: one by one (`async for`), or what is there (`take`).

    The iteration ends after `close()` or when the store closes; it raises `Expired` when its reader is too far behind.
    """

    def __init__(
        self,
        group_resource: GroupResource,
        namespace: str,
        *,
        since: int,
        history: History,
        forget: Callable[[Watch], None],
    ) -> None:
        self.group_resource = group_resource
        self.namespace = namespace
        self.is_closed = False
        self._read = since
        self._newest = history.newest(group_resource)
        self._history = history
        self._forget = forget
        self._waiting: asyncio.Future[None] | None = None

    @property
    def has_more(self) -> bool:
        """Whether there may be changes that have not been taken."""
        return self._newest > self._read and not self.is_closed

    def offer(self, change: Change) -> None:
        """Hear of a change that the history has now; the store calls this in version order."""
        if self._is_of_interest(change):
            self._newest = change.stored.version
            self.wake()
        elif not self.has_more:
            self._read = change.stored.version  # nothing before it is wanted: it may be forgotten

    def take(self, *, up_to: int | None = None, most_bytes: int = _SOME_BYTES) -> Sequence[Change]:
        """
        Return changes that are there, oldest first, and go on behind them; there may be more.

        Args:
            up_to: the last version that may be taken.
            most_bytes: about how much JSON is taken at once, but always one change.

        Raises:
            Expired: the next one has been forgotten. It is raised again by every further call.
        """
        if not self.has_more:
            return ()
        changes = self._history.since(self.group_resource, self._read, most_bytes=most_bytes)
        if up_to is not None:
            changes = [change for change in changes if change.stored.version <= up_to]
        if changes:
            self._read = changes[-1].stored.version
        return [change for change in changes if self._is_of_interest(change)]

    async def ready(self) -> None:
        """Wait until there is more, or somebody calls `wake`; one task may wait."""
        if self.has_more or self.is_closed:
            return
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting

    def wake(self) -> None:
        """Let `ready` return."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> Change:
        while not self.is_closed:
            for change in self.take(most_bytes=1):
                return change
            await self.ready()
        raise StopAsyncIteration

    def close(self) -> None:
        """End the iteration; nothing more can be taken. May be called twice."""
        self.is_closed = True
        self._forget(self)
        self.wake()

    def _is_of_interest(self, change: Change) -> bool:
        return self.namespace in ("", change.stored.namespace)
