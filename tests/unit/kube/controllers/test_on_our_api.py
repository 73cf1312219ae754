"""The controllers on our own API server and store: what they write is accepted, and what it answers is understood."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.unit.kube.controllers import lab
from tests.unit.kube.controllers.test_convergence import SERVICE, deployment

from bookmesh.base.kubernetes import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    EVENTS,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    SERVICES,
    ApiError,
    JsonObject,
    Resource,
)
from bookmesh.kube.api import inprocess, verbs
from bookmesh.kube.controllers.resources import ENDPOINTS, QUOTAS
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import records, store

THINGS = Resource("example.com", "v1", "things")
DEFINITION: JsonObject = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "things", "kind": "Thing", "singular": "thing", "listKind": "ThingList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


class OurApi(inprocess.InProcessClient):
    """The in-process client of a new, empty API server, as `lab.Cluster`."""

    def __init__(self) -> None:
        self._store = store.Store.open(None)
        self._over = verbs.Verbs(self._store, kinds.Kinds(), schemas.Schemas.load())
        super().__init__(self._over)
        self.on_write: list[Callable[[], None]] = []
        self._store.subscribe(self._written)

    def _written(self, change: records.Change) -> None:
        for callback in list(self.on_write):
            callback()

    def find(self, resource: Resource, name: str, namespace: str = "default") -> JsonObject | None:
        try:
            return self._over.get(resource, name, namespace).object
        except ApiError:
            return None

    def all(self, resource: Resource) -> list[JsonObject]:
        return [stored.object for stored in self._over.list(resource)]


def is_rolled_out(client: OurApi, image: str) -> bool:
    current = client.find(DEPLOYMENTS, "web") or {}
    status = current.get("status") or {}
    counts = [status.get(f"{field}eplicas") for field in ("r", "updatedR", "readyR", "availableR")]
    pods = client.all(PODS)
    return (
        counts == [current["spec"]["replicas"]] * 4
        and status["observedGeneration"] == current["metadata"]["generation"]
        and len(pods) == current["spec"]["replicas"]
        and {pod["spec"]["containers"][0]["image"] for pod in pods} == {image}
    )


async def test_a_deployment_is_created_rolled_scaled_and_deleted() -> None:
    client = OurApi()
    async with lab.running(client), lab.kubelet(client, random.Random(0)):
        await client.create(SERVICES, SERVICE)
        await client.create(DEPLOYMENTS, deployment(3, "web:1", "25%", "25%"))
        await lab.until(client, lambda: is_rolled_out(client, "web:1"))
        template = deployment(3, "web:2", 1, 1)["spec"]["template"]
        await client.patch(DEPLOYMENTS, "web", "default", {"spec": {"template": template}})
        await lab.until(client, lambda: is_rolled_out(client, "web:2"))
        await client.patch(DEPLOYMENTS, "web", "default", {"spec": {"replicas": 5}})
        await lab.until(client, lambda: is_rolled_out(client, "web:2"))
        await lab.until(client, lambda: len(addresses(client)) == 5)
        assert [subset["ports"][0]["port"] for subset in client.all(ENDPOINTS)[0]["subsets"]] == [80]
        found = client.find(DEPLOYMENTS, "web") or {}
        assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
        reasons = {event["reason"] for event in client.all(EVENTS)}
        assert reasons == {"Scheduled", "SuccessfulCreate", "SuccessfulDelete", "ScalingReplicaSet"}
        await client.delete(DEPLOYMENTS, "web", "default", propagation="Foreground")
        await lab.until(client, lambda: client.find(DEPLOYMENTS, "web") is None)
        assert client.all(REPLICA_SETS) == client.all(PODS) == []


async def test_a_namespace_ends_with_pods_events_and_custom_objects() -> None:
    client = OurApi()
    async with lab.running(client), lab.kubelet(client, random.Random(1)):
        await client.create(CUSTOM_RESOURCE_DEFINITIONS, DEFINITION)
        await client.create(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
        )
        body = deployment(2, "web:1", 1, 1)
        body["metadata"]["namespace"] = "shop"
        await client.create(DEPLOYMENTS, body)
        thing = {"name": "one", "namespace": "shop", "finalizers": ["example.com/hold"]}
        await client.create(THINGS, {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": thing})
        await lab.until(client, lambda: len(client.all(PODS)) == 2)
        await client.delete(NAMESPACES, "shop")
        await lab.until(client, lambda: not client.all(PODS))
        held = client.find(NAMESPACES, "shop", "")
        assert held is not None
        await client.patch(THINGS, "one", "shop", {"metadata": {"finalizers": None}})
        await lab.until(client, lambda: client.find(NAMESPACES, "shop", "") is None)
        left = [event for event in client.all(EVENTS) if event["metadata"]["namespace"] == "shop"]
        assert left == []


async def test_pods_that_a_quota_refuses_are_tried_again_without_haste() -> None:
    client = OurApi()
    async with lab.running(client), lab.kubelet(client, random.Random(2)):
        quota = {"metadata": {"name": "few", "namespace": "default"}, "spec": {"hard": {"pods": "1"}}}
        await client.create(QUOTAS, quota)
        await client.create(DEPLOYMENTS, deployment(2, "web:1", 1, 1))
        await lab.until(client, lambda: _used(client) == {"pods": "1"})
        refused = lambda: [e for e in client.all(EVENTS) if e["reason"] == "FailedCreate"]  # noqa: E731
        ready = lambda: client.all(REPLICA_SETS)[0]["status"].get("availableReplicas") == 1  # noqa: E731
        await lab.until(client, lambda: len(refused()) >= 2 and ready())
        before, tries = client.all(REPLICA_SETS)[0]["metadata"]["resourceVersion"], len(refused())
        await lab.until(client, lambda: len(refused()) >= tries + 3)
        assert client.all(REPLICA_SETS)[0]["metadata"]["resourceVersion"] == before
        await client.patch(QUOTAS, "few", "default", {"spec": {"hard": {"pods": "2"}}})
        await lab.until(client, lambda: is_rolled_out(client, "web:1"))
        await lab.until(client, lambda: _used(client) == {"pods": "2"})


def _used(client: OurApi) -> JsonObject | None:
    return ((client.find(QUOTAS, "few") or {}).get("status") or {}).get("used")


def addresses(client: OurApi) -> list[str]:
    return [
        endpoint["addresses"][0]
        for each in client.all(ENDPOINT_SLICES)
        for endpoint in each.get("endpoints") or ()
        if endpoint["conditions"]["ready"]
    ]
