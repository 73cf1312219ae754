from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.unit.kube.controllers import lab
from tests.unit.kube.controllers.fake_client import FakeClient

from bookmesh.base.kubernetes import CONFIG_MAPS, EVENTS, SECRETS, ApiError, JsonObject, conflict
from bookmesh.kube.controllers import actions, informers, runner

Reconcile = Callable[[JsonObject, Any], actions.Actions]


def body(name: str) -> JsonObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> runner.View:
    return view


def controller(reconcile: Reconcile, **more: Any) -> runner.Controller:
    return runner.Controller(
        name="under-test",
        watches=(runner.own_keys(CONFIG_MAPS),),
        observe=observe,
        reconcile=reconcile,
        **more,
    )


@contextlib.asynccontextmanager
async def running(client: FakeClient, declared: runner.Controller) -> AsyncIterator[None]:
    caches = informers.Informers(client)
    one = runner.Runner(declared, client=client, caches=caches, suffix=lab.suffixes(), now=lab.fixed_now)
    task = asyncio.create_task(runner.run([one]))
    try:
        async with asyncio.timeout(20):
            yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def label(obj: JsonObject) -> actions.Actions:
    if obj["metadata"].get("labels"):
        return ()
    return (actions.patch_of(CONFIG_MAPS, obj, {"metadata": {"labels": {"seen": "yes"}}}),)


def is_labelled(client: FakeClient, name: str) -> Callable[[], bool]:
    return lambda: bool((client.find(CONFIG_MAPS, name) or body(name))["metadata"].get("labels"))


async def test_objects_there_before_and_after_the_start_are_looked_at() -> None:
    client = FakeClient()
    await client.create(CONFIG_MAPS, body("before"))
    async with running(client, controller(lambda obj, _: label(obj))):
        await client.create(CONFIG_MAPS, body("after"))
        await lab.until(client, lambda: is_labelled(client, "before")() and is_labelled(client, "after")())


async def test_a_conflict_is_tried_again() -> None:
    client = FakeClient()
    client.refuse("patch", CONFIG_MAPS, conflict(CONFIG_MAPS, "a", "modified"), times=3)
    await client.create(CONFIG_MAPS, body("a"))
    async with running(client, controller(lambda obj, _: label(obj))):
        await lab.until(client, is_labelled(client, "a"))


async def test_a_stale_view_ends_in_the_newest_state() -> None:
    client = FakeClient()
    await client.create(CONFIG_MAPS, body("a"))

    def count(obj: JsonObject, _: Any) -> actions.Actions:
        number = int((obj.get("data") or {}).get("n", "0"))
        return (actions.Update(CONFIG_MAPS, {**obj, "data": {"n": str(number + 1)}}),) if number < 5 else ()

    async with running(client, controller(count)):
        await client.patch(CONFIG_MAPS, "a", "default", {"metadata": {"annotations": {"by": "somebody"}}})
        await lab.until(client, lambda: (client.find(CONFIG_MAPS, "a") or {}).get("data") == {"n": "5"})
    found = client.find(CONFIG_MAPS, "a")
    assert found is not None
    assert found["metadata"]["annotations"] == {"by": "somebody"}


async def test_a_failing_key_is_logged_with_its_cause_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = FakeClient()

    def reconcile(obj: JsonObject, _: Any) -> actions.Actions:
        if obj["metadata"]["name"] == "bad":
            raise KeyError("no such field")
        return label(obj)

    await client.create(CONFIG_MAPS, body("bad"))
    await client.create(CONFIG_MAPS, body("good"))
    with caplog.at_level(logging.ERROR):
        async with running(client, controller(reconcile, workers=1)):
            await lab.until(client, is_labelled(client, "good"))
    record = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert "under-test: configmaps default/bad" in record.message
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)


async def test_a_refusal_is_seen_by_the_next_pass() -> None:
    client = FakeClient()
    client.refuse("patch", CONFIG_MAPS, ApiError(403, "Forbidden", "over quota"))
    failures: list[str] = []

    def reconcile(obj: JsonObject, view: runner.View) -> actions.Actions:
        failures.append(view.failure)
        return label(obj)

    await client.create(CONFIG_MAPS, body("a"))
    async with running(client, controller(reconcile)):
        await lab.until(client, is_labelled(client, "a"))
    assert failures[:2] == ["", "over quota"]


async def test_a_key_is_looked_at_again_when_it_asked_for_that() -> None:
    client = FakeClient()
    passes: list[int] = []
    enough = asyncio.Event()

    def reconcile(obj: JsonObject, _: Any) -> actions.Actions:
        passes.append(1)
        if len(passes) == 3:
            enough.set()
            return ()
        return (actions.Requeue(0.001), actions.Requeue(3600))

    await client.create(CONFIG_MAPS, body("a"))
    async with running(client, controller(reconcile)):
        await enough.wait()


async def test_a_key_whose_object_is_gone_can_clean_up() -> None:
    client = FakeClient()
    gone: asyncio.Future[runner.Key] = asyncio.get_running_loop().create_future()

    def vanished(key: runner.Key, view: runner.View) -> actions.Actions:
        gone.set_result(key)
        return ()

    await client.create(CONFIG_MAPS, body("a"))
    async with running(client, controller(lambda obj, _: label(obj), vanished=vanished)):
        await lab.until(client, is_labelled(client, "a"))
        await client.delete(CONFIG_MAPS, "a", "default")
        assert await gone == runner.Key(CONFIG_MAPS, "default", "a")


async def test_what_was_created_is_never_created_twice() -> None:
    client = FakeClient()
    caches_of_secrets: list[int] = []

    async def count_secrets(key: runner.Key, desired: JsonObject, view: runner.View) -> int:
        return len(view.caches.of(SECRETS).in_namespace("default"))

    def reconcile(obj: JsonObject, seen: int) -> actions.Actions:
        caches_of_secrets.append(seen)
        secret = {"metadata": {"generateName": "s-", "namespace": "default"}}
        return tuple(actions.Create(SECRETS, secret) for _ in range(3 - seen)) + (actions.Requeue(0.0),) * (
            len(caches_of_secrets) < 5
        )

    declared = runner.Controller(
        name="under-test",
        watches=(runner.own_keys(CONFIG_MAPS),),
        observe=count_secrets,
        reconcile=reconcile,
        reads=(SECRETS,),
    )
    await client.create(CONFIG_MAPS, body("a"))
    async with running(client, declared):
        while len(caches_of_secrets) < 5:
            await asyncio.sleep(0)
    assert len(client.all(SECRETS)) == 3
    assert caches_of_secrets == [0, 3, 3, 3, 3]


async def test_cancelling_ends_every_task() -> None:
    client = FakeClient()
    before = asyncio.all_tasks()
    async with lab.running(client):
        await lab.until(client, lambda: client.find(CONFIG_MAPS, "kube-root-ca.crt") is not None)
        assert len(asyncio.all_tasks()) > len(before)
    assert asyncio.all_tasks() == before


async def test_events_are_told_after_the_write_with_its_name() -> None:
    client = FakeClient()

    def reconcile(obj: JsonObject, view: runner.View) -> actions.Actions:
        if view.caches.of(SECRETS).in_namespace("default"):
            return ()
        event = actions.Event(obj, "Made", "Made {name}")
        secret = {"metadata": {"generateName": "s-", "namespace": "default"}}
        return (actions.Create(SECRETS, secret, event=event),)

    await client.create(CONFIG_MAPS, body("a"))
    async with running(client, controller(reconcile, reads=(SECRETS,))):
        await lab.until(client, lambda: bool(client.all(EVENTS)))
    (event,) = client.all(EVENTS)
    assert event["message"] == "Made s-s0001"
    assert event["involvedObject"]["name"] == "a"
    assert event["source"] == {"component": "under-test"}
