from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from tests.unit.mesh.control.fake_kubernetes import until

from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.base.kubernetes import EVENTS, ApiError, Resource
from bookmesh.mesh.control import announcing
from bookmesh.mesh.control.announcing import Announcer
from bookmesh.mesh.control.mirroring import Mirror

VIRTUAL_SERVICES = Resource("networking.istio.io", "v1", "virtualservices")
REVIEWS = ObjectRef("VirtualService", "reviews", "default")
MISSING = Finding(code="BM0203", message="no such subset", subject=REVIEWS)


@pytest.fixture
async def announcer(client, monkeypatch):
    monkeypatch.setattr(announcing, "RETRY_PAUSE_S", 0.001)
    client.put(
        VIRTUAL_SERVICES,
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {"name": "reviews", "namespace": "default"},
        },
    )
    mirror = Mirror(client, VIRTUAL_SERVICES, on_change=lambda: None)
    announcer = Announcer(client, {"VirtualService": mirror}, clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    tasks = [asyncio.create_task(mirror.run()), asyncio.create_task(announcer.run())]
    await until(lambda: client.watchers(VIRTUAL_SERVICES))
    announcer.mirror = mirror
    yield announcer
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def reviews(client):
    return client.objects[VIRTUAL_SERVICES, "default", "reviews"]


def events(client):
    return [obj for (resource, _, _), obj in client.objects.items() if resource == EVENTS]


def condition(client):
    return reviews(client).get("status", {}).get("conditions", [{}])[0].get("status")


def writes(client):
    return [call for call in client.calls if call[0] in ("patch", "create")]


async def settled(client, announcer):
    """The mirror shows what was written, and a further report finds nothing to do."""
    await until(lambda: announcer.mirror.get("default", "reviews") is reviews(client))


async def test_a_finding_is_written_once_as_status_and_event(client, announcer):
    announcer.report([MISSING])
    await until(lambda: condition(client) == "False" and events(client))
    await settled(client, announcer)
    written = len(writes(client))
    announcer.report([MISSING])
    await until(lambda: not announcer._wake.is_set())
    assert len(writes(client)) == written == 2
    assert events(client)[0]["reason"] == "MissingSubset"


async def test_a_mended_object_is_cleared(client, announcer):
    announcer.report([MISSING])
    await until(lambda: condition(client) == "False" and events(client))
    await settled(client, announcer)
    announcer.report([])
    await until(lambda: condition(client) == "True")
    assert reviews(client)["status"]["validationMessages"] == []


async def test_a_finding_that_comes_back_is_counted(client, announcer):
    for wanted, expected in (([MISSING], "False"), ([], "True"), ([MISSING], "False")):
        announcer.report(wanted)
        await until(lambda expected=expected: condition(client) == expected)
        await settled(client, announcer)
    await until(lambda: [event["count"] for event in events(client)] == [2])


async def test_a_failed_write_is_tried_again(client, announcer):
    client.failures["patch", "virtualservices"] = [ApiError(500, "InternalError", "oops")]
    announcer.report([MISSING])
    await until(lambda: condition(client) == "False")


async def test_an_object_that_is_gone_meanwhile_is_nobodys_problem(client, announcer, caplog):
    client.failures["patch", "virtualservices"] = [ApiError(404, "NotFound", "gone")]
    announcer.report([MISSING])
    await until(lambda: events(client))
    assert not caplog.records
