from __future__ import annotations

import asyncio

import pytest
from tests.unit.mesh.control.fake_kubernetes import EXPIRED, until

from bookmesh.base import following
from bookmesh.base.kubernetes import SERVICES, ApiError
from bookmesh.mesh.control.mirroring import Mirror


def service(name, **spec):
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


@pytest.fixture
async def mirror(client, monkeypatch):
    monkeypatch.setattr(following, "FIRST_PAUSE_S", 0.001)
    changes = []
    mirror = Mirror(client, SERVICES, on_change=lambda: changes.append(1))
    mirror.changes, mirror.changed = changes, mirror.follow()
    tasks = []
    mirror.start = lambda: tasks.append(asyncio.create_task(mirror.run()))
    yield mirror
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def names(mirror):
    return sorted(item["metadata"]["name"] for item in mirror.objects())


async def test_it_follows_changes(client, mirror):
    client.put(SERVICES, service("a"))
    mirror.start()
    await until(lambda: client.watchers(SERVICES))
    assert names(mirror) == ["a"]
    client.put(SERVICES, service("b"))
    client.put(SERVICES, service("a", x=1))
    await until(lambda: mirror.get("default", "a")["spec"] == {"x": 1})
    client.remove(SERVICES, "a", "default")
    await until(lambda: names(mirror) == ["b"])
    assert len(mirror.changes) == 4


async def test_an_expired_watch_leads_to_a_new_list(client, mirror):
    mirror.start()
    await until(lambda: client.watchers(SERVICES))
    client.end_watches(SERVICES, EXPIRED)
    client.put(SERVICES, service("missed"))
    await until(lambda: names(mirror) == ["missed"])
    await until(lambda: client.watchers(SERVICES))


async def test_a_list_that_shows_nothing_new_is_no_change(client, mirror):
    client.put(SERVICES, service("a"))
    mirror.start()
    await until(lambda: client.watchers(SERVICES))
    seen = len(mirror.changes)
    client.end_watches(SERVICES)
    await until(lambda: client.calls.count(("list", "services", "")) == 2 and client.watchers(SERVICES))
    assert len(mirror.changes) == seen


async def test_a_failing_list_is_tried_again(client, mirror, caplog):
    client.failures["list", "services"] = [
        ApiError(500, "InternalError", "oops"),
        ConnectionResetError("gone"),
    ]
    client.put(SERVICES, service("a"))
    mirror.start()
    await asyncio.wait_for(mirror.has_listed.wait(), 20)
    assert names(mirror) == ["a"]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


async def test_objects_stay_while_the_api_is_away(client, mirror):
    client.put(SERVICES, service("a"))
    mirror.start()
    await until(lambda: client.watchers(SERVICES))
    client.failures["list", "services"] = [ApiError(503, "ServiceUnavailable", "away")] * 3
    client.end_watches(SERVICES)
    await until(lambda: not client.failures["list", "services"])
    assert names(mirror) == ["a"]


async def test_a_kind_that_is_not_installed_has_no_objects_until_it_is(client, mirror):
    client.absent.add("services")
    mirror.start()
    await asyncio.wait_for(mirror.has_listed.wait(), 20)
    assert mirror.objects() == ()
    client.absent.clear()
    client.put(SERVICES, service("a"))
    await until(lambda: names(mirror) == ["a"])


async def test_whoever_knows_better_ends_the_wait_for_a_kind(client, mirror, monkeypatch):
    monkeypatch.setattr(following, "FIRST_PAUSE_S", 3600.0)
    monkeypatch.setattr(following, "LONGEST_PAUSE_S", 3600.0)
    client.absent.add("services")
    mirror.start()
    await asyncio.wait_for(mirror.has_listed.wait(), 20)
    client.absent.clear()
    client.put(SERVICES, service("a"))
    mirror.retry()
    await until(lambda: names(mirror) == ["a"])


async def test_a_bug_is_not_retried(client):
    client.failures["list", "services"] = [KeyError("bug")]
    with pytest.raises(KeyError):
        await Mirror(client, SERVICES, on_change=lambda: None).run()


async def test_changes_are_taken_once_with_what_is_gone(client, mirror):
    client.put(SERVICES, service("a"))
    client.put(SERVICES, service("b"))
    mirror.start()
    await until(lambda: client.watchers(SERVICES))
    assert mirror.changed.take().keys() == {("default", "a"), ("default", "b")}
    assert mirror.changed.take() == {}
    client.remove(SERVICES, "a", "default")
    client.put(SERVICES, service("b", type="ClusterIP"))
    await until(lambda: names(mirror) == ["b"] and mirror.get("default", "b")["spec"])
    assert mirror.changed.take() == {("default", "a"): None, ("default", "b"): mirror.get("default", "b")}
    mirror.changed.note_all()
    assert mirror.changed.take().keys() == {("default", "b")}
    later = mirror.follow()
    client.put(SERVICES, service("c"))
    await until(lambda: names(mirror) == ["b", "c"])
    assert later.take().keys() == {("default", "b"), ("default", "c")}
    assert mirror.changed.take().keys() == {("default", "c")}


async def test_a_new_list_tells_what_was_missed(client, mirror):
    client.put(SERVICES, service("a"))
    client.put(SERVICES, service("kept"))
    mirror.start()
    await until(lambda: client.watchers(SERVICES))
    mirror.changed.take()
    client.failures["watch", "services"] = []
    (queue,) = client._watchers.pop(SERVICES)
    client.remove(SERVICES, "a", "default")
    client.put(SERVICES, service("b"))
    queue.put_nowait(EXPIRED)
    await until(lambda: names(mirror) == ["b", "kept"])
    assert {key[1]: obj is None for key, obj in mirror.changed.take().items()} == {"a": True, "b": False}
