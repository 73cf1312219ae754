"""List, watch and list again, on a server that does what the test says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bookmesh.base import following
from bookmesh.base.kubernetes import PODS, ApiError, ObjectList, WatchEvent

EXPIRED = ApiError(410, "Expired", "too old")
ABSENT = ApiError(404, "NotFound", "no such resource")
AWAY = ApiError(503, "ServiceUnavailable", "away")
MARK = WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": "9"}})


class StoppedError(Exception):
    """The script of a server is at its end."""


class Server:
    """Each list gives the next of `lists`, each watch the next of `watches`: events, and an error at the end."""

    def __init__(self, lists: list[Any], watches: list[list[Any]]) -> None:
        self.lists, self.watches = list(lists), list(watches)
        self.since: list[str] = []
        self.closed = 0

    async def list(self, resource: Any, namespace: str = "") -> ObjectList:
        if not self.lists:
            raise StoppedError
        found = self.lists.pop(0)
        if isinstance(found, Exception):
            raise found
        return ObjectList([], found)

    async def watch(self, resource: Any, namespace: str = "", *, since: str) -> AsyncIterator[WatchEvent]:
        self.since.append(since)
        try:
            for event in self.watches.pop(0):
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.closed += 1


class Log:
    """A reader, and the pause between tries: both write down what they are told."""

    def __init__(self, *, wakes: bool = False) -> None:
        self.told: list[str] = []
        self.pauses: list[float] = []
        self.wakes = wakes

    def replace(self, listed: ObjectList) -> None:
        self.told.append(f"list {listed.resource_version}")

    def take(self, event: WatchEvent) -> None:
        self.told.append(event.type)

    def clear(self) -> None:
        self.told.append("absent")

    def note(self, error: ApiError | OSError, pause_s: float) -> None:
        self.told.append(f"{type(error).__name__} {pause_s:g}")

    async def pause(self, pause_s: float) -> bool:
        self.pauses.append(pause_s)
        return self.wakes


async def follow(server: Server, log: Log) -> None:
    with contextlib.suppress(StoppedError):
        await following.follow(server, PODS, log, pause=log.pause)  # type: ignore[arg-type]


def event(kind: Any) -> WatchEvent:
    return WatchEvent(kind, {"metadata": {"name": "x"}})


async def test_a_watch_goes_on_where_the_list_was_made_and_bookmarks_are_nobodys_business() -> None:
    server, log = Server(["7"], [[event("ADDED"), MARK, event("DELETED"), StoppedError()]]), Log()
    await follow(server, log)
    assert server.since == ["7"]
    assert log.told == ["list 7", "ADDED", "DELETED"]


@pytest.mark.parametrize("end", [[EXPIRED], []])
async def test_a_watch_that_ends_is_followed_by_a_list_at_once(end: list[Any]) -> None:
    server, log = Server(["1", "2"], [[event("ADDED"), *end], [event("ADDED"), StoppedError()]]), Log()
    await follow(server, log)
    assert log.told == ["list 1", "ADDED", "list 2", "ADDED"]
    assert log.pauses == []


async def test_watches_that_only_ever_end_do_not_keep_the_server_busy() -> None:
    server, log = Server(list("1234"), [[EXPIRED]] * 4), Log()
    await follow(server, log)
    assert log.pauses == [0.05, 0.1, 0.2]


async def test_pauses_double_up_to_a_limit_and_an_event_ends_that() -> None:
    server = Server([AWAY] * 9 + ["1", "2"], [[event("ADDED"), AWAY], [AWAY]])
    log = Log()
    await follow(server, log)
    assert log.pauses[:8] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert log.pauses[8:] == [5.0, 0.05, 0.1]


async def test_network_errors_are_trouble_and_bugs_are_raised() -> None:
    log = Log()
    await follow(Server([ConnectionResetError("gone")], []), log)
    assert log.told == ["ConnectionResetError 0.05"]
    with pytest.raises(KeyError):
        await follow(Server([KeyError("bug")], []), Log())


async def test_a_resource_that_is_not_there_is_told_and_asked_for_again() -> None:
    server, log = Server([ABSENT, ABSENT, "1"], [[StoppedError()]]), Log()
    await follow(server, log)
    assert log.told == ["absent", "ApiError 0.05", "absent", "ApiError 0.1", "list 1"]


async def test_who_ends_a_pause_makes_the_next_one_short_again() -> None:
    log = Log(wakes=True)
    await follow(Server([ABSENT] * 4, []), log)
    assert log.pauses == [0.05] * 4


async def test_a_watch_is_closed_when_it_is_given_up() -> None:
    class Endless(Server):
        async def watch(self, *arguments: Any, since: str) -> AsyncIterator[WatchEvent]:
            try:
                yield event("ADDED")
                await asyncio.Event().wait()
            finally:
                self.closed += 1

    server, log = Endless(["1"], []), Log()
    task = asyncio.create_task(follow(server, log))
    async with asyncio.timeout(20):
        while "ADDED" not in log.told:
            await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert server.closed == 1
