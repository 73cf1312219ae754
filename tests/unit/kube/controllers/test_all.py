from __future__ import annotations

from tests.unit.kube.controllers import lab
from tests.unit.kube.controllers.fake_client import FakeClient

from bookmesh.base import names
from bookmesh.base.kubernetes import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    EVENTS,
    NAMESPACES,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    JsonObject,
)
from bookmesh.kube.controllers import all as controllers
from bookmesh.kube.controllers import pods
from bookmesh.kube.controllers.resources import ENDPOINTS


def pod(name: str, namespace: str = "default") -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c"}]},
    }


SERVICE: JsonObject = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}


def test_random_suffixes_are_safe_and_differ() -> None:
    drawn = {controllers.random_suffix() for _ in range(50)}
    assert len(drawn) > 40
    assert {len(suffix) for suffix in drawn} == {5}
    assert set("".join(drawn)) <= set(names.SAFE_ALPHABET)


def test_every_controller_has_its_own_name_but_for_the_two_that_bind_volumes() -> None:
    runners = controllers.build(FakeClient(), ca_pem="", node_name="node", issue=lambda namespace, name: "")
    listed = [each.controller.name for each in runners]
    listed.remove("persistentvolume-controller")
    assert len(listed) == len(set(listed)) == 23


async def test_a_bare_pod_is_scheduled_and_told_so() -> None:
    client = FakeClient()
    async with lab.running(client):
        await client.create(PODS, pod("a"))
        await lab.until(client, lambda: bool(client.all(EVENTS)))
    found = client.find(PODS, "a")
    assert found is not None
    assert found["spec"]["nodeName"] == "node"
    assert client.all(EVENTS)[0]["message"] == "Successfully assigned default/a to node"


async def test_every_namespace_gets_its_account_and_certificate() -> None:
    client = FakeClient()
    async with lab.running(client):
        await client.create(
            NAMESPACES, {"metadata": {"name": "shop"}, "spec": {"finalizers": ["kubernetes"]}}
        )
        await lab.until(client, lambda: client.find(CONFIG_MAPS, "kube-root-ca.crt", "shop") is not None)
        assert client.find(SERVICE_ACCOUNTS, "default", "shop") is not None
        await client.delete(SERVICE_ACCOUNTS, "default", "shop")
        await lab.until(client, lambda: client.find(SERVICE_ACCOUNTS, "default", "shop") is not None)


async def test_a_namespace_ends_with_all_that_is_in_it() -> None:
    client = FakeClient()
    async with lab.running(client):
        await client.create(
            NAMESPACES, {"metadata": {"name": "shop"}, "spec": {"finalizers": ["kubernetes"]}}
        )
        await client.create(SECRETS, {"metadata": {"name": "s", "namespace": "shop"}})
        await client.create(PODS, pod("a", "shop"))
        await lab.until(
            client, lambda: bool((client.find(PODS, "a", "shop") or pod(""))["spec"].get("nodeName"))
        )
        await client.delete(NAMESPACES, "shop")
        await lab.until(client, lambda: pods.is_terminating(client.find(PODS, "a", "shop") or pod("")))
        assert client.find(NAMESPACES, "shop", "") is not None
        await client.delete(PODS, "a", "shop", grace_s=0)
        await lab.until(client, lambda: client.find(NAMESPACES, "shop", "") is None)
    left = [place for objects in client.objects.values() for place in objects if place[0] == "shop"]
    assert left == []


async def test_endpoints_and_slices_go_with_their_service() -> None:
    client = FakeClient()
    async with lab.running(client):
        await client.create(SERVICES, SERVICE)
        await lab.until(client, lambda: bool(client.all(ENDPOINT_SLICES) and client.all(ENDPOINTS)))
        await client.delete(SERVICES, "web", "default")
        await lab.until(client, lambda: not client.all(ENDPOINT_SLICES) and not client.all(ENDPOINTS))


async def test_an_unready_pod_leaves_the_ready_endpoints_at_once() -> None:
    client = FakeClient()
    async with lab.running(client):
        await client.create(SERVICES, SERVICE)
        await client.create(PODS, {**pod("a"), "spec": {"nodeName": "node", "containers": [{"name": "c"}]}})
        ready = {"podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}
        await client.patch(PODS, "a", "default", {"status": ready}, subresource="status")
        await lab.until(client, lambda: [e["conditions"]["ready"] for e in endpoints(client)] == [True])
        await client.delete(PODS, "a", "default")
        await lab.until(client, lambda: [e["conditions"]["ready"] for e in endpoints(client)] == [False])
        assert endpoints(client)[0]["conditions"] == {"ready": False, "serving": True, "terminating": True}


def endpoints(client: FakeClient) -> list[JsonObject]:
    return [endpoint for each in client.all(ENDPOINT_SLICES) for endpoint in each["endpoints"]]
