"""The client in this process keeps the promises of the port."""

from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import CONFIG_MAPS, PODS, ApiError, Client, JsonObject, Resource
from bookmesh.kube.api import inprocess, verbs


@pytest.fixture
def client(over: verbs.Verbs) -> Client:
    return inprocess.InProcessClient(over)


def _config_map(name: str = "a") -> JsonObject:
    return {"metadata": {"name": name, "namespace": "default"}}


async def test_write_and_read(client: Client) -> None:
    created = await client.create(CONFIG_MAPS, _config_map())
    assert await client.get(CONFIG_MAPS, "a", "default") == created
    patched = await client.patch(CONFIG_MAPS, "a", "default", {"data": {"x": "y"}})
    updated = await client.update(CONFIG_MAPS, {**patched, "data": {"x": "z"}})
    assert updated["data"] == {"x": "z"}
    with pytest.raises(ApiError) as refusal:
        await client.update(CONFIG_MAPS, {**patched, "data": {}})
    assert refusal.value.code == 409
    await client.delete(CONFIG_MAPS, "a", "default", uid=created["metadata"]["uid"])
    with pytest.raises(ApiError):
        await client.get(CONFIG_MAPS, "a", "default")


async def test_watch_goes_on_where_the_list_ended(client: Client) -> None:
    await client.create(CONFIG_MAPS, _config_map("a"))
    listed = await client.list(CONFIG_MAPS)
    assert [item["metadata"]["name"] for item in listed.items] == ["a"]
    await client.create(CONFIG_MAPS, _config_map("b"))
    await client.delete(CONFIG_MAPS, "a", "default")
    seen = []
    async for event in client.watch(CONFIG_MAPS, since=listed.resource_version):
        seen.append((event.type, event.object["metadata"]["name"]))
        if len(seen) == 2:
            break
    assert seen == [("ADDED", "b"), ("DELETED", "a")]


async def test_watch_of_one_namespace(client: Client) -> None:
    start = (await client.list(CONFIG_MAPS)).resource_version
    await client.create(kubernetes.NAMESPACES, {"metadata": {"name": "shop"}})
    for namespace in ("default", "shop"):
        await client.create(CONFIG_MAPS, {"metadata": {"name": "x", "namespace": namespace}})
    event = await anext(client.watch(CONFIG_MAPS, "shop", since=start))
    assert event.object["metadata"]["namespace"] == "shop"


@pytest.mark.parametrize(("since", "code"), [("soon", 400), ("", 400)])
async def test_watch_from_nowhere(client: Client, since: str, code: int) -> None:
    with pytest.raises(ApiError) as refusal:
        await anext(client.watch(CONFIG_MAPS, since=since))
    assert refusal.value.code == code


async def test_objects_come_in_the_version_asked_for(client: Client, definition: JsonObject) -> None:
    await client.create(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, definition)
    new, old = (Resource("example.com", version, "routes") for version in ("v1", "v1beta1"))
    start = (await client.list(old)).resource_version
    await client.create(new, {"metadata": {"name": "a", "namespace": "default"}})
    assert (await client.get(old, "a", "default"))["apiVersion"] == "example.com/v1beta1"
    assert (await client.list(old)).items[0]["apiVersion"] == "example.com/v1beta1"
    assert (await anext(client.watch(old, since=start))).object["apiVersion"] == "example.com/v1beta1"


async def test_status_and_grace(client: Client, pod: JsonObject) -> None:
    await client.create(PODS, pod)
    await client.patch(PODS, "web", "default", {"spec": {"nodeName": "bookmesh"}})
    status = {"status": {"phase": "Running"}}
    after = await client.patch(PODS, "web", "default", status, patch_type="strategic", subresource="status")
    assert after["status"]["phase"] == "Running"
    await client.delete(PODS, "web", "default")
    assert (await client.get(PODS, "web", "default"))["metadata"]["deletionGracePeriodSeconds"] == 30
    await client.delete(PODS, "web", "default", grace_s=0)
    assert (await client.list(PODS)).items == []
