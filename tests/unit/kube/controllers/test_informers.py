from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.unit.kube.controllers import lab
from tests.unit.kube.controllers.fake_client import FakeClient

from bookmesh.base.kubernetes import CONFIG_MAPS, PODS, ApiError, JsonObject, ObjectList
from bookmesh.kube.controllers import informers


def config_map(name: str, version: int = 1, uid: str = "", owner: str = "") -> JsonObject:
    metadata: JsonObject = {
        "name": name,
        "namespace": "default",
        "uid": uid or f"uid-{name}",
        "resourceVersion": str(version),
    }
    if owner:
        metadata["ownerReferences"] = [{"uid": owner}]
    return {"metadata": metadata}


def body(name: str) -> JsonObject:
    return {"metadata": {"name": name, "namespace": "default"}}


def heard(informer: informers.Informer) -> list[str]:
    told: list[str] = []
    informer.subscribe(lambda change: told.append(f"{change.type} {change.object['metadata']['name']}"))
    return told


@contextlib.asynccontextmanager
async def following(informer: informers.Informer) -> AsyncIterator[None]:
    task = asyncio.create_task(informer.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_lists_then_follows() -> None:
    client = FakeClient()
    await client.create(CONFIG_MAPS, body("a"))
    informer = informers.Informer(client, CONFIG_MAPS)
    told = heard(informer)
    async with following(informer):
        await informer.synced.wait()
        await client.create(CONFIG_MAPS, body("b"))
        await client.patch(CONFIG_MAPS, "a", "default", {"data": {"x": "y"}})
        await client.delete(CONFIG_MAPS, "b", "default")
        await settle()
    assert told == ["ADDED a", "ADDED b", "MODIFIED a", "DELETED b"]
    assert [each["metadata"]["name"] for each in informer.in_namespace("default")] == ["a"]


async def test_lists_again_when_history_is_gone() -> None:
    client = FakeClient()
    await client.create(CONFIG_MAPS, body("kept"))
    await client.create(CONFIG_MAPS, body("lost"))
    informer = informers.Informer(client, CONFIG_MAPS)
    told = heard(informer)
    async with following(informer):
        await informer.synced.wait()
        await settle()
        await client.delete(CONFIG_MAPS, "lost", "default")
        await client.create(CONFIG_MAPS, body("new"))
        client.compact()
        await settle()
    assert told == ["ADDED kept", "ADDED lost", "DELETED lost", "ADDED new"]
    assert client.lists == [CONFIG_MAPS, CONFIG_MAPS]


async def test_survives_a_server_that_fails() -> None:
    client = FakeClient()
    client.refuse("list", CONFIG_MAPS, ApiError(500, "InternalError", "boom"))
    client.refuse("watch", CONFIG_MAPS, ApiError(503, "ServiceUnavailable", "boom"))
    informer = informers.Informer(client, CONFIG_MAPS)
    async with following(informer), asyncio.timeout(20):
        await informer.synced.wait()
        while len(client.lists) < 2:
            await asyncio.sleep(0)
        await client.create(CONFIG_MAPS, body("a"))
        await settle()
    assert informer.get("default", "a") is not None


async def test_a_resource_that_is_not_served_counts_as_empty() -> None:
    client = FakeClient()
    client.unserved.add(CONFIG_MAPS)
    informer = informers.Informer(client, CONFIG_MAPS)
    async with following(informer), asyncio.timeout(20):
        await informer.synced.wait()
    assert list(informer.all()) == []


async def test_own_write_is_known_before_the_watch_tells() -> None:
    informer = informers.Informer(FakeClient(), CONFIG_MAPS)
    told = heard(informer)
    informer.observe(config_map("a", 5))
    informer._merge(config_map("a", 5))
    assert told == ["ADDED a"]


async def test_old_news_do_not_bring_a_deleted_object_back() -> None:
    informer = informers.Informer(FakeClient(), CONFIG_MAPS)
    told = heard(informer)
    informer.observe(config_map("a", 5))
    informer.forget("default", "a", "uid-a")
    informer._merge(config_map("a", 6))
    informer._remove(config_map("a", 7))
    assert told == ["ADDED a", "DELETED a"]
    assert informer.get("default", "a") is None


async def test_a_late_answer_does_not_bring_a_deleted_object_back() -> None:
    client = FakeClient()
    informer = informers.Informer(client, CONFIG_MAPS)
    async with following(informer):
        await informer.synced.wait()
        answer = await client.create(CONFIG_MAPS, body("a"))
        await client.delete(CONFIG_MAPS, "a", "default")
        await settle()
        informer.observe(answer)
    assert informer.get("default", "a") is None


async def test_another_object_by_the_same_name_is_two_changes() -> None:
    informer = informers.Informer(FakeClient(), CONFIG_MAPS)
    told = heard(informer)
    informer.observe(config_map("a", 5))
    informer.observe(config_map("a", 9, uid="another"))
    assert told == ["ADDED a", "DELETED a", "ADDED a"]


async def test_a_list_older_than_an_own_write_does_not_undo_it() -> None:
    informer = informers.Informer(FakeClient(), CONFIG_MAPS)
    informer.observe(config_map("mine", 12))
    informer.replace(ObjectList([config_map("other", 3)], "10"))
    assert {each["metadata"]["name"] for each in informer.all()} == {"mine", "other"}


async def test_dependents_are_found_by_owner() -> None:
    informer = informers.Informer(FakeClient(), CONFIG_MAPS)
    informer.observe(config_map("a", 1, owner="x"))
    informer.observe(config_map("b", 2, owner="x"))
    informer.observe(config_map("b", 3, owner="y"))
    assert [each["metadata"]["name"] for each in informer.owned_by("x")] == ["a"]
    informer.clear()
    assert informer.owned_by("x") == ()


async def test_a_late_subscriber_hears_what_is_there() -> None:
    informer = informers.Informer(FakeClient(), CONFIG_MAPS)
    informer.observe(config_map("a", 1))
    assert heard(informer) == ["ADDED a"]


async def test_a_copy_asked_for_later_is_followed_too() -> None:
    client = FakeClient()
    await client.create(PODS, {**body("p"), "spec": {}})
    caches = informers.Informers(client)
    known: list[str] = []
    caches.follow(lambda informer: known.append(informer.resource.plural))
    task = asyncio.create_task(caches.run())
    await asyncio.sleep(0)
    late = caches.of(PODS)
    async with asyncio.timeout(20):
        await late.synced.wait()
    assert late.get("default", "p") is not None
    caches.drop(PODS)
    assert late.get("default", "p") is None
    assert known == ["pods"]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_the_copies_of_a_whole_cluster_survive_a_compaction() -> None:
    client = FakeClient()
    async with lab.running(client):
        await lab.until(client, lambda: client.find(CONFIG_MAPS, "kube-root-ca.crt") is not None)
        client.compact()
        await client.delete(CONFIG_MAPS, "kube-root-ca.crt", "default")
        await lab.until(client, lambda: client.find(CONFIG_MAPS, "kube-root-ca.crt") is not None)
