"""Watches over real connections: under pressure, cut off, taken up again; and nothing is told that is not on disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
import orjson
import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import app, authentication, serving, verbs, watching
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import records, store

MAPS = "/api/v1/namespaces/default/configmaps"
PLACE = records.GroupResource("", "configmaps")
HEADERS = {"Authorization": "Bearer good"}
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
WATCH_LIST = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
END = b"\r\n0\r\n\r\n"
DEADLINE_S = 100.0


@pytest.fixture(scope="module")
def known() -> schemas.Schemas:
    return schemas.Schemas.load()


@dataclass
class Server:
    """A server, and what a client of it needs."""

    over: verbs.Verbs
    port: int
    session: aiohttp.ClientSession

    def write(self, name: str, **data: str) -> int:
        """Write an object past HTTP; returns its version."""
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "data": data}
        obj["metadata"] = {"name": name, "namespace": "default", "labels": {"app": data.get("app", "")}}
        objects = self.over.store
        is_there = objects.get(PLACE, "default", name) is not None
        return (objects.update if is_there else objects.create)(PLACE, "default", name, obj).version

    @asynccontextmanager
    async def watch(self, query: str = "", **headers: str) -> AsyncIterator[AsyncIterator[JsonObject]]:
        """Open a watch and yield its events."""
        async with self.session.get(f"{MAPS}?watch=true&{query}", headers=headers) as response:
            assert response.status == 200, await response.text()

            async def events() -> AsyncIterator[JsonObject]:
                while line := await response.content.readline():
                    yield orjson.loads(line)

            yield events()


Start = Callable[..., Any]


@pytest.fixture
def start(known: schemas.Schemas) -> Start:
    @asynccontextmanager
    async def run(path: Path | None = None, *, history: int = 20_000) -> AsyncIterator[Server]:
        objects = store.Store.open(path, history=history)
        over = verbs.Verbs(objects, kinds.Kinds(), known)
        over.create(kubernetes.NAMESPACES, {"metadata": {"name": "default"}})
        authenticator = authentication.Authenticator(user_for_token={"good": "somebody"}.get)
        built = app.build_app(over, streams=mock.Mock(), authenticator=authenticator)
        running = await serving.start(built, tls=None)
        address = f"http://127.0.0.1:{running.port}"
        try:
            async with (
                asyncio.timeout(DEADLINE_S),
                aiohttp.ClientSession(address, headers=HEADERS) as session,
            ):
                yield Server(over, running.port, session)
        finally:
            await running.stop()
            objects.close()

    return run


async def take(events: AsyncIterator[JsonObject], count: int) -> list[tuple[str, str]]:
    """Types and names, or of bookmarks versions, of the next events."""
    found = [await anext(events) for _ in range(count)]
    return [(each["type"], each["object"]["metadata"].get("name") or _version(each)) for each in found]


def _version(event: JsonObject) -> str:
    return str(event["object"]["metadata"]["resourceVersion"])


async def test_nothing_is_told_that_is_not_on_disk(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def slow_disk(_: int) -> None:
        has_begun.set()
        assert may_end.wait(DEADLINE_S)

    async with start(tmp_path / "store.db") as server, contextlib.AsyncExitStack() as stack:
        stack.callback(may_end.set)
        version = server.write("old")
        await server.over.store.until_on_disk()
        monkeypatch.setattr(os, "fdatasync", slow_disk)
        async with server.watch(f"resourceVersion={version}") as events:
            body = {"metadata": {"name": "a"}}

            async def status_of(method: str, path: str, **more: Any) -> int:
                async with server.session.request(method, path, **more) as response:
                    return response.status

            told = [asyncio.create_task(status_of("POST", MAPS, json=body))]
            await asyncio.to_thread(has_begun.wait, DEADLINE_S)
            assert server.over.store.get(PLACE, "default", "a")
            assert await status_of("GET", f"{MAPS}/old") == 200  # this one is on disk
            told.append(asyncio.create_task(status_of("GET", f"{MAPS}/a")))
            told.append(asyncio.create_task(status_of("POST", MAPS, json=body)))
            seen = asyncio.create_task(take(events, 1))
            done, _ = await asyncio.wait([*told, seen], timeout=0.3)
            assert not done
            may_end.set()
            assert await asyncio.gather(*told) == [201, 200, 409]
            assert await seen == [("ADDED", "a")]


async def test_a_disk_that_fails_is_told_and_no_write_taken(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_disk(_: int) -> None:
        raise OSError(5, "Input/output error")

    async with start(tmp_path / "store.db") as server:
        await server.over.store.until_on_disk()
        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", broken_disk)
            async with server.session.post(MAPS, json={"metadata": {"name": "a"}}) as response:
                refusal = await response.json()
        assert (response.status, refusal["reason"]) == (500, "InternalError")
        assert "may not be on disk" in refusal["message"]
        async with server.session.post(MAPS, json={"metadata": {"name": "b"}}) as response:
            assert response.status == 500
        assert server.over.store.get(PLACE, "default", "b") is None


async def test_a_burst_reaches_everybody_whole_and_in_order(start: Start) -> None:
    count = 10_000
    async with (
        start() as server,
        server.watch() as plain,
        server.watch(**TABLE) as table,
        server.watch("labelSelector=app%3Dweb") as selected,
    ):

        async def burst() -> list[int]:
            versions = []
            for number in range(count):
                app_label = "web" if number % 4 < 2 else "db"
                versions.append(server.write("m", app=app_label, number=str(number)))
                if number % 50 == 0:
                    await asyncio.sleep(0)
            return versions

        async def versions_of(events: AsyncIterator[JsonObject], wanted: int) -> list[int]:
            return [int(_version(await anext(events))) for _ in range(wanted)]

        async def types_of(events: AsyncIterator[JsonObject], wanted: int) -> list[str]:
            return [(await anext(events))["type"] for _ in range(wanted)]

        written, seen, rows, types = await asyncio.gather(
            burst(),
            versions_of(plain, count),
            versions_of(table, count),
            types_of(selected, count * 3 // 4),
        )
    assert seen == written
    assert rows == written
    assert types == ["ADDED", "MODIFIED", "DELETED"] * (count // 4)


def deaf_client(server: Server, query: str) -> socket.socket:
    """A client that asks for a watch and reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    request = (
        f"GET {MAPS}?watch=true&{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer good\r\n\r\n"
    )
    client.sendall(request.encode())
    return client


async def everything_from(client: socket.socket) -> bytes:
    """What arrives until the stream or the connection ends."""
    client.setblocking(False)
    text = b""
    with contextlib.suppress(ConnectionResetError):
        while not text.endswith(END) and (
            more := await asyncio.get_running_loop().sock_recv(client, 1 << 20)
        ):
            text += more
    return text


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


async def test_a_client_that_does_not_read_is_cut_off_and_the_others_are_fed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_PATIENCE_S", 3.0)  # none of those who read takes so long
    async with start() as server:
        watches = server.over.store._watches
        version = server.over.store.version
        with deaf_client(server, f"resourceVersion={version}") as deaf:
            await until(lambda: len(watches.get(PLACE, ())) == 1)
            async with server.watch(f"resourceVersion={version}") as events:
                for number in range(150):
                    server.write("big", ballast="x" * 100_000, number=str(number))
                seen = [(await anext(events))["object"]["data"]["number"] for _ in range(150)]
                assert seen == [str(number) for number in range(150)]
                await until(lambda: len(watches[PLACE]) == 1)  # the deaf one is gone
            assert not (await everything_from(deaf)).endswith(END)


async def test_a_reader_that_is_too_far_behind_is_told_and_can_begin_anew(start: Start) -> None:
    async with start(history=20) as server:
        version = server.over.store.version
        with deaf_client(server, f"resourceVersion={version}") as slow:
            await until(lambda: server.over.store._watches.get(PLACE))
            for number in range(200):
                server.write("big", ballast="x" * 100_000, number=str(number))
                await asyncio.sleep(0)
            text = await everything_from(slow)
        assert text.endswith(END)
        last = orjson.loads(text.rpartition(b"\n{")[2].join((b"{", b"")).partition(b"\n")[0])
        assert (last["type"], last["object"]["code"], last["object"]["reason"]) == ("ERROR", 410, "Expired")
        async with server.session.get(f"{MAPS}?watch=true&resourceVersion={version}") as response:
            assert response.status == 410
        async with server.watch(WATCH_LIST) as events:
            assert [each[0] for each in await take(events, 2)] == ["ADDED", "BOOKMARK"]


async def test_a_watch_goes_on_where_another_was_broken_off(start: Start) -> None:
    async with start() as server:
        version, seen = server.over.store.version, []
        for name in "abcdef":
            server.write(name)
        while len(seen) < 6:
            async with server.watch(f"resourceVersion={version}") as events:
                for _ in range(2):
                    event = await anext(events)
                    seen.append(event["object"]["metadata"]["name"])
                    version = int(_version(event))
        assert "".join(seen) == "abcdef"


async def test_a_version_that_is_yet_to_come_is_refused(start: Start) -> None:
    async with start() as server:
        for query in ("resourceVersion=999", f"resourceVersion=999&{WATCH_LIST}"):
            async with server.session.get(f"{MAPS}?watch=true&{query}") as response:
                assert (response.status, (await response.json())["reason"]) == (410, "Expired")


async def test_a_watch_list_marks_the_end_of_what_was_there(start: Start) -> None:
    async with start() as server:
        server.write("a")
        version = server.write("b")
        async with server.watch(WATCH_LIST) as events:
            assert await take(events, 2) == [("ADDED", "a"), ("ADDED", "b")]
            mark = await anext(events)
            assert (mark["type"], _version(mark)) == ("BOOKMARK", str(version))
            assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
            server.write("c")
            assert await take(events, 1) == [("ADDED", "c")]


async def test_initial_events_can_be_left_out(start: Start) -> None:
    async with start() as server:
        server.write("a")
        query = "resourceVersion=0&sendInitialEvents=false&resourceVersionMatch=NotOlderThan"
        async with server.watch(query) as events:
            server.write("b")
            assert await take(events, 1) == [("ADDED", "b")]


async def test_the_first_row_of_a_table_has_the_columns_also_after_a_bookmark(start: Start) -> None:
    async with start() as server, server.watch(WATCH_LIST, **TABLE) as events:
        assert (await anext(events))["object"]["columnDefinitions"] is None
        for name, has_columns in (("a", True), ("b", False)):
            server.write(name)
            assert bool((await anext(events))["object"]["columnDefinitions"]) is has_columns


async def test_bookmarks_move_with_changes_of_other_kinds(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(watching, "_BOOKMARK_EVERY_S", 0.05)
    async with start(tmp_path / "store.db") as server:
        begun = server.over.store.version
        async with server.watch(f"resourceVersion={begun}&allowWatchBookmarks=true") as events:
            server.over.create(kubernetes.NAMESPACES, {"metadata": {"name": "other"}})
            event = await anext(events)
            while int(_version(event)) < server.over.store.version:
                event = await anext(events)
            assert event["type"] == "BOOKMARK"
        async with server.watch(f"resourceVersion={_version(event)}&allowWatchBookmarks=true") as events:
            server.write("a")
            found = await anext(events)
            while found["type"] == "BOOKMARK":
                found = await anext(events)
            assert found["object"]["metadata"]["name"] == "a"


async def test_a_watch_ends_in_time_with_a_bookmark_for_those_who_want_one(start: Start) -> None:
    async with start() as server:
        server.write("a")
        version = str(server.over.store.version)
        for wanted, expected in (("true", [("BOOKMARK", version)]), ("false", [])):
            query = f"resourceVersion={version}&timeoutSeconds=1&allowWatchBookmarks={wanted}"
            async with server.watch(query) as events:
                found = [(event["type"], _version(event)) async for event in events]
            assert found == expected
