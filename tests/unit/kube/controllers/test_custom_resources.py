from __future__ import annotations

from tests.unit.kube.controllers import lab
from tests.unit.kube.controllers.fake_client import FakeClient

from bookmesh.base.kubernetes import (
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    NAMESPACES,
    JsonObject,
    Resource,
)

THINGS = Resource("example.com", "v1", "things")
DEFINITION: JsonObject = {
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "things", "kind": "Thing"},
        "versions": [{"name": "v1", "storage": True}],
    },
    "status": {"conditions": [{"type": "Established", "status": "True"}]},
}


def thing(name: str, *owners: JsonObject, namespace: str = "default") -> JsonObject:
    references = [
        {
            "apiVersion": "example.com/v1",
            "kind": "Thing",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
        }
        for owner in owners
    ]
    metadata = {"name": name, "namespace": namespace, "ownerReferences": references}
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": metadata}


async def test_custom_objects_go_with_their_owner() -> None:
    client = FakeClient()
    async with lab.running(client):
        await client.create(CUSTOM_RESOURCE_DEFINITIONS, DEFINITION)
        owner = await client.create(THINGS, thing("owner"))
        middle = await client.create(THINGS, thing("middle", owner))
        await client.create(THINGS, thing("leaf", middle))
        await client.create(THINGS, thing("other"))
        await client.delete(THINGS, "owner", "default")
        await lab.until(client, lambda: len(client.all(THINGS)) == 1)
    assert client.find(THINGS, "other") is not None


async def test_custom_objects_go_with_their_namespace() -> None:
    client = FakeClient()
    async with lab.running(client):
        await client.create(CUSTOM_RESOURCE_DEFINITIONS, DEFINITION)
        namespace = {"metadata": {"name": "shop"}, "spec": {"finalizers": ["kubernetes"]}}
        await client.create(NAMESPACES, namespace)
        await client.create(THINGS, thing("a", namespace="shop"))
        await client.create(THINGS, thing("b"))
        await client.delete(NAMESPACES, "shop")
        await lab.until(client, lambda: client.find(NAMESPACES, "shop", "") is None)
        assert [each["metadata"]["name"] for each in client.all(THINGS)] == ["b"]


async def test_a_definition_that_goes_is_followed_no_longer() -> None:
    client = FakeClient()
    async with lab.running(client):
        await client.create(CUSTOM_RESOURCE_DEFINITIONS, DEFINITION)
        await client.delete(CUSTOM_RESOURCE_DEFINITIONS, "things.example.com")
        client.unserved.add(THINGS)
        client.compact()
        await client.create(CUSTOM_RESOURCE_DEFINITIONS, DEFINITION)
        client.unserved.discard(THINGS)
        owner = await client.create(THINGS, thing("owner"))
        await client.create(THINGS, thing("leaf", owner))
        await client.delete(THINGS, "owner", "default")
        await lab.until(client, lambda: client.all(THINGS) == [])


async def test_what_custom_objects_own_goes_with_the_definition_of_their_kind() -> None:
    client = FakeClient()

    async def own(name: str, reference: JsonObject) -> None:
        metadata = {"name": name, "namespace": "default", "ownerReferences": [reference]}
        await client.create(CONFIG_MAPS, {"metadata": metadata})

    async with lab.running(client):
        await client.create(CUSTOM_RESOURCE_DEFINITIONS, DEFINITION)
        owner, marker = [await client.create(THINGS, thing(name)) for name in ("owner", "marker")]
        reference, mark = [thing("", each)["metadata"]["ownerReferences"][0] for each in (owner, marker)]
        await own("stray", {**reference, "kind": "Other", "uid": "never-seen"})
        await own("owned", reference)
        await own("marked", mark)
        await client.delete(THINGS, "marker", "default")
        # Now the collector has seen all that was made before.
        await lab.until(client, lambda: client.find(CONFIG_MAPS, "marked") is None)
        await client.delete(CUSTOM_RESOURCE_DEFINITIONS, "things.example.com")
        client.unserved.add(THINGS)
        await lab.until(client, lambda: client.find(CONFIG_MAPS, "owned") is None)
    assert client.find(CONFIG_MAPS, "stray") is not None
