from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.unit.kube.node import fakes

from bookmesh.base.kubernetes import PODS, ApiError, JsonObject, Resource, WatchEvent
from bookmesh.kube.node import following


async def test_what_exists_is_listed_and_what_changes_is_told() -> None:
    client = fakes.FakeClient()
    await client.create(PODS, fakes.pod(name="old"))
    lists: list[list[str]] = []
    events: list[tuple[str, str]] = []
    task = asyncio.create_task(
        following.follow(
            client,
            PODS,
            on_list=lambda items: lists.append([item["metadata"]["name"] for item in items]),
            on_event=lambda event: events.append((event.type, event.object["metadata"]["name"])),
        )
    )
    await fakes.until(lambda: lists)
    await client.create(PODS, fakes.pod(name="new"))
    await client.delete(PODS, "old", "default", grace_s=0)
    await fakes.until(lambda: len(events) == 2)
    assert lists == [["old"]]
    assert events == [("ADDED", "new"), ("DELETED", "old")]
    task.cancel()


class Forgetful(fakes.FakeClient):
    """Its first watch has lost its place."""

    watched = 0

    async def watch(
        self, resource: Resource, namespace: str = "", *, since: str
    ) -> AsyncIterator[WatchEvent]:
        self.watched += 1
        if self.watched == 1:
            raise ApiError(410, "Expired", "too old resource version")
        yield WatchEvent("BOOKMARK", {})
        await asyncio.Event().wait()


async def test_a_watch_that_lost_its_place_lists_again() -> None:
    client = Forgetful()
    lists: list[list[JsonObject]] = []
    events: list[WatchEvent] = []
    task = asyncio.create_task(following.follow(client, PODS, on_list=lists.append, on_event=events.append))
    await fakes.until(lambda: client.watched == 2)
    assert len(lists) == 2
    assert events == []
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
