"""Watches: replay, then live, in order, without gaps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bookmesh.kube.store import records
from bookmesh.kube.store.store import Store, Watch

PODS = records.GroupResource("", "pods")
SERVICES = records.GroupResource("", "services")


def put(store: Store, name: str, namespace: str = "default", resource: records.GroupResource = PODS) -> None:
    obj: dict[str, Any] = {"metadata": {"name": name}}
    if store.get(resource, namespace, name):
        store.update(resource, namespace, name, obj)
    else:
        store.create(resource, namespace, name, obj)


async def take(watch: Watch, count: int) -> list[tuple[str, str, int]]:
    async with asyncio.timeout(20):
        changes = [await anext(watch) for _ in range(count)]
    return [(change.type, change.stored.name, change.stored.version) for change in changes]


async def test_a_watch_replays_what_it_missed_and_goes_on() -> None:
    store = Store.open(None)
    put(store, "a")
    put(store, "b")
    watch = store.watch(PODS, since=1)
    put(store, "a")
    store.delete(PODS, "default", "b")
    assert await take(watch, 3) == [("ADDED", "b", 2), ("MODIFIED", "a", 3), ("DELETED", "b", 4)]


async def test_a_watch_since_now_sees_only_what_comes() -> None:
    store = Store.open(None)
    put(store, "a")
    watch = store.watch(PODS, since=store.version)
    put(store, "b")
    assert await take(watch, 1) == [("ADDED", "b", 2)]


async def test_a_waiting_watch_is_woken_by_a_write() -> None:
    store = Store.open(None)
    watch = store.watch(PODS, since=0)
    waiting = asyncio.create_task(take(watch, 1))
    await asyncio.sleep(0)
    put(store, "a")
    assert await waiting == [("ADDED", "a", 1)]


async def test_a_watch_sees_its_resource_and_namespace_only() -> None:
    store = Store.open(None)
    watch = store.watch(PODS, "one", since=0)
    put(store, "x", "two")
    put(store, "y", "one", SERVICES)
    put(store, "z", "one")
    assert await take(watch, 1) == [("ADDED", "z", 3)]


async def test_changes_that_were_forgotten_make_a_watch_expire() -> None:
    store = Store.open(None, history=3)
    for name in "abcde":
        put(store, name)
    with pytest.raises(records.Expired):
        store.watch(PODS, since=1)
    assert await take(store.watch(PODS, since=2), 3) == [
        ("ADDED", "c", 3),
        ("ADDED", "d", 4),
        ("ADDED", "e", 5),
    ]


async def test_a_busy_resource_does_not_expire_watches_of_a_quiet_one() -> None:
    store = Store.open(None, history=3)
    put(store, "quiet", resource=SERVICES)
    watch_from = store.version
    for name in "abcde":
        put(store, name)
    watch = store.watch(SERVICES, since=watch_from)
    put(store, "quiet", resource=SERVICES)
    assert await take(watch, 1) == [("MODIFIED", "quiet", 7)]


async def test_a_consumer_further_behind_than_the_history_is_cut_off() -> None:
    store = Store.open(None, history=3)
    watch = store.watch(PODS, since=0)
    for name in "abcd":
        put(store, name)
    with pytest.raises(records.Expired):
        await take(watch, 1)


async def test_big_objects_shorten_the_history() -> None:
    store = Store.open(None)
    for name in "abc":
        store.create(PODS, "default", name, {"metadata": {}, "data": "x" * 8 * 1024 * 1024})
    with pytest.raises(records.Expired):
        store.watch(PODS, since=0)
    assert await take(store.watch(PODS, since=2), 1) == [("ADDED", "c", 3)]


async def test_a_closed_watch_ends_and_hears_nothing_more() -> None:
    store = Store.open(None)
    watch = store.watch(PODS, since=0)
    put(store, "a")
    watch.close()
    watch.close()
    put(store, "b")
    assert [change async for change in watch] == []


async def test_closing_the_store_ends_watches_that_wait() -> None:
    store = Store.open(None)
    watch = store.watch(PODS, since=0)
    waiting = asyncio.create_task(anext(watch, None))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    store.close()
    async with asyncio.timeout(20):
        assert await waiting is None


async def test_watchers_hear_of_a_write_after_subscribers() -> None:
    store = Store.open(None)
    order: list[str] = []
    watch = store.watch(PODS, since=0)
    offer = watch.offer

    def offered(change: records.Change) -> None:
        order.append("watcher")
        offer(change)

    watch.offer = offered  # type: ignore[method-assign]
    store.subscribe(lambda _: order.append("subscriber"))
    put(store, "a")
    assert order == ["subscriber", "watcher"]


async def test_what_is_there_is_taken_up_to_a_version_and_in_parts() -> None:
    store = Store.open(None)
    watch = store.watch(PODS, since=0)
    assert (watch.take(), watch.has_more) == ((), False)
    for name in "abcd":
        put(store, name)
    assert [change.stored.name for change in watch.take(up_to=2)] == ["a", "b"]
    assert watch.has_more
    assert watch.take(up_to=2) == []
    assert [change.stored.name for change in watch.take(most_bytes=1)] == ["c"]
    assert [change.stored.name for change in watch.take()] == ["d"]
    assert not watch.has_more


async def test_changes_of_other_namespaces_do_not_expire_a_watch() -> None:
    store = Store.open(None, history=3)
    watch = store.watch(PODS, "one", since=0)
    for name in "abcde":
        put(store, name, "two")
    put(store, "z", "one")
    assert await take(watch, 1) == [("ADDED", "z", 6)]


async def test_a_watch_that_waits_can_be_woken_by_hand() -> None:
    store = Store.open(None)
    watch = store.watch(PODS, since=0)
    waiting = asyncio.create_task(watch.ready())
    await asyncio.sleep(0)
    watch.wake()
    async with asyncio.timeout(20):
        await waiting
    assert not watch.has_more
