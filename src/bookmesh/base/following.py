"""
Follow the objects of one resource: list, then watch, and list again whenever the watch ends, until cancelled.

What may go wrong on the way is known here alone. There is no clock and no log: whoever follows hands in how to pause,
and hears of trouble. Anything but an `ApiError` or a network error is a bug and is raised.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Final, NoReturn, Protocol

from bookmesh.base.kubernetes import ApiError, Client, ObjectList, Resource, WatchEvent

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 5.0
_EXPIRED: Final = 410
_ABSENT: Final = 404

Pause = Callable[[float], Awaitable[object]]
"""Wait so many seconds. A true result says that it is worth trying again soon: somebody knows of a change."""


class Reader(Protocol):
    """Who is told what there is. Objects are shared: never to be mutated."""

    def replace(self, listed: ObjectList) -> None:
        """Take all objects that there are, in place of what was told before."""

    def take(self, event: WatchEvent) -> None:
        """Take one change; never a BOOKMARK."""

    def clear(self) -> None:
        """Take it that the server has no such resource; it may be told so again and again."""

    def note(self, error: ApiError | OSError, pause_s: float) -> None:
        """Hear why the next try has to wait. What the reader has stays, unless it was cleared."""


class _Pauses:
    """Pauses that double. Without one the list is made again once, and then only after there was an event."""

    def __init__(self) -> None:
        self._next_s = FIRST_PAUSE_S
        self._may_hurry = True

    def reset(self) -> None:
        self._next_s, self._may_hurry = FIRST_PAUSE_S, True

    def may_hurry(self) -> bool:
        hurries, self._may_hurry = self._may_hurry, False
        return hurries

    def take(self) -> float:
        pause_s, self._next_s = self._next_s, min(2 * self._next_s, LONGEST_PAUSE_S)
        return pause_s


async def follow(
    client: Client, resource: Resource, reader: Reader, *, pause: Pause, namespace: str = ""
) -> NoReturn:
    """Keep `reader` informed of the objects in one namespace, or in every one."""
    pauses = _Pauses()
    while True:
        has_listed = False
        error: ApiError | OSError = ApiError(_EXPIRED, "Expired", "the watch ended")
        try:
            listed = await client.list(resource, namespace)
            has_listed = True
            reader.replace(listed)
            await _watch(client.watch(resource, namespace, since=listed.resource_version), reader, pauses)
        except (ApiError, OSError) as caught:
            error = caught
        code = error.code if isinstance(error, ApiError) else 0
        if code == _EXPIRED and has_listed and pauses.may_hurry():
            continue
        if code == _ABSENT:
            reader.clear()
        pause_s = pauses.take()
        reader.note(error, pause_s)
        if await pause(pause_s):
            pauses.reset()


async def _watch(events: AsyncIterator[WatchEvent], reader: Reader, pauses: _Pauses) -> None:
    try:
        async for event in events:
            pauses.reset()
            if event.type != "BOOKMARK":
                reader.take(event)
    finally:
        if isinstance(events, AsyncGenerator):
            await events.aclose()
