from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.unit.kube.controllers import lab
from tests.unit.kube.controllers.fake_client import FakeClient

from bookmesh.base.kubernetes import CONFIG_MAPS, DEPLOYMENTS, EVENTS, PODS, ApiError, JsonObject
from bookmesh.kube.controllers import actions, applying, informers, recording


def body(name: str, **more: object) -> JsonObject:
    return {"metadata": {"name": name, "namespace": "default"}, **more}


def applier(
    client: FakeClient, caches: informers.Informers | None = None, suffixes: str = ""
) -> applying.Applier:
    letters = itertools.cycle(suffixes or "abcdefgh")
    recorder = recording.Recorder(client, now=lab.fixed_now)
    return applying.Applier(
        client, caches or informers.Informers(client), recorder, suffix=lambda: next(letters) * 5
    )


async def test_a_generated_name_that_is_taken_is_drawn_again() -> None:
    client = FakeClient()
    await client.create(CONFIG_MAPS, body("x-aaaaa"))
    unnamed = {"metadata": {"generateName": "x-", "namespace": "default"}}
    await applier(client).apply((actions.Create(CONFIG_MAPS, unnamed),), source="t")
    assert client.find(CONFIG_MAPS, "x-bbbbb") is not None


async def test_names_that_are_always_taken_end_in_the_refusal() -> None:
    client = FakeClient()
    await client.create(CONFIG_MAPS, body("x-aaaaa"))
    unnamed = {"metadata": {"generateName": "x-", "namespace": "default"}}
    with pytest.raises(ApiError, match="already exists"):
        await applier(client, suffixes="a").apply((actions.Create(CONFIG_MAPS, unnamed),), source="t")


async def test_a_second_write_in_a_pass_builds_on_the_first() -> None:
    client = FakeClient()
    seen = await client.create(CONFIG_MAPS, body("a"))
    wanted = (
        actions.patch_of(CONFIG_MAPS, seen, {"metadata": {"labels": {"x": "y"}}}),
        *actions.patch_status(CONFIG_MAPS, seen, {"phase": "Fine"}),
        *actions.patch_status(CONFIG_MAPS, seen, {"phase": "Finer"}),
    )
    await applier(client).apply(wanted, source="t")
    assert (client.find(CONFIG_MAPS, "a") or {})["status"] == {"phase": "Finer"}


async def test_a_write_over_somebody_elses_is_refused() -> None:
    client = FakeClient()
    seen = await client.create(CONFIG_MAPS, body("a"))
    await client.patch(CONFIG_MAPS, "a", "default", {"data": {"x": "theirs"}})
    with pytest.raises(ApiError, match="modified"):
        await applier(client).apply(
            (actions.Update(CONFIG_MAPS, {**seen, "data": {"x": "mine"}}),), source="t"
        )


async def test_what_comes_after_a_refusal_is_not_done() -> None:
    client = FakeClient()
    client.refuse("create", CONFIG_MAPS, ApiError(403, "Forbidden", "no"))
    wanted = (actions.Create(CONFIG_MAPS, body("a")), actions.Create(CONFIG_MAPS, body("b")))
    with pytest.raises(ApiError, match="no"):
        await applier(client).apply(wanted, source="t")
    assert client.all(CONFIG_MAPS) == []


async def test_deleting_what_is_gone_is_fine() -> None:
    client = FakeClient()
    seen = await client.create(CONFIG_MAPS, body("a"))
    await client.delete(CONFIG_MAPS, "a", "default")
    await applier(client).apply((actions.delete_of(CONFIG_MAPS, seen),), source="t")


async def test_another_object_by_the_same_name_is_not_deleted() -> None:
    client = FakeClient()
    seen = await client.create(CONFIG_MAPS, body("a"))
    await client.delete(CONFIG_MAPS, "a", "default")
    await client.create(CONFIG_MAPS, body("a"))
    await applier(client).apply((actions.delete_of(CONFIG_MAPS, seen),), source="t")
    assert client.find(CONFIG_MAPS, "a") is not None


async def test_a_refused_deletion_is_not_taken_for_done() -> None:
    client = FakeClient()
    seen = await client.create(CONFIG_MAPS, body("a"))
    client.refuse("delete", CONFIG_MAPS, ApiError(409, "Conflict", "held"))
    with pytest.raises(ApiError, match="held"):
        await applier(client).apply((actions.delete_of(CONFIG_MAPS, seen),), source="t")


async def test_a_pod_that_takes_its_time_is_known_to_be_terminating_at_once() -> None:
    client = FakeClient()
    caches = informers.Informers(client)
    seen = await client.create(PODS, body("p", spec={"nodeName": "node"}))
    caches.of(PODS).observe(seen)
    await applier(client, caches).apply((actions.delete_of(PODS, seen),), source="t")
    known = caches.of(PODS).get("default", "p")
    assert known is not None
    assert known["metadata"]["deletionTimestamp"]


class Scaling(FakeClient):
    """Answers a write of a Scale with the Scale, as an API server does."""

    async def patch(self, *arguments: Any, subresource: str = "", **options: Any) -> JsonObject:
        written = await super().patch(*arguments, **options)
        assert subresource == "scale"
        return {"kind": "Scale", "metadata": written["metadata"], "spec": {"replicas": 3}}


async def test_a_scale_is_not_taken_for_what_it_scales() -> None:
    client = Scaling()
    caches = informers.Informers(client)
    seen = await client.create(DEPLOYMENTS, body("web", spec={"replicas": 1, "template": {}}))
    caches.of(DEPLOYMENTS).observe(seen)
    scale = actions.Patch(DEPLOYMENTS, "default", "web", {"spec": {"replicas": 3}}, subresource="scale")
    await applier(client, caches).apply((scale,), source="t")
    known = caches.of(DEPLOYMENTS).get("default", "web")
    assert known is not None
    assert "template" in known["spec"]


async def test_the_soonest_wish_to_look_again_counts() -> None:
    wanted = (actions.Requeue(5.0), actions.Requeue(2.0))
    assert await applier(FakeClient()).apply(wanted, source="t") == 2.0


async def test_an_event_that_cannot_be_written_gets_in_nobodys_way() -> None:
    client = FakeClient()
    seen = await client.create(CONFIG_MAPS, body("a"))
    client.refuse("create", EVENTS, ApiError(403, "Forbidden", "no events here"))
    assert await applier(client).apply((actions.Event(seen, "X", "x"),), source="t") is None
