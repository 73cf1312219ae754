from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.kube.api import inprocess, verbs
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store.store import Store
from bookmesh.lab import seeding


@pytest.fixture
def client() -> inprocess.InProcessClient:
    return inprocess.InProcessClient(verbs.Verbs(Store.open(None), kinds.Kinds(), schemas.Schemas.load()))


async def test_a_new_cluster_has_what_every_cluster_has(client: inprocess.InProcessClient) -> None:
    await seeding.seed_cluster(client)
    await seeding.seed_services(client)
    api = await client.get(kubernetes.SERVICES, "kubernetes", "default")
    assert api["spec"]["clusterIP"] == "10.96.0.1"
    assert len((await client.list(kubernetes.ENDPOINT_SLICES, "default")).items) == 1
    dns = await client.get(kubernetes.SERVICES, "kube-dns", "kube-system")
    assert dns["spec"]["clusterIP"] == "10.96.0.10"
    assert (await client.list(kubernetes.CUSTOM_RESOURCE_DEFINITIONS)).items == []


async def test_without_a_node_nobody_is_behind_the_service(client: inprocess.InProcessClient) -> None:
    await seeding.seed_cluster(client, has_node=False)
    assert (await client.get(kubernetes.SERVICES, "kubernetes", "default"))["spec"]["ports"]
    assert (await client.list(kubernetes.ENDPOINT_SLICES)).items == []


async def test_what_somebody_changed_in_a_namespace_stays(client: inprocess.InProcessClient) -> None:
    await seeding.seed_cluster(client)
    await client.patch(kubernetes.NAMESPACES, "default", "", {"metadata": {"labels": {"team": "a"}}})
    await seeding.seed_cluster(client)
    default = await client.get(kubernetes.NAMESPACES, "default")
    assert default["metadata"]["labels"]["team"] == "a"


async def test_the_api_server_has_a_pod_that_says_its_flags(client: inprocess.InProcessClient) -> None:
    await seeding.seed_cluster(client)
    for _ in range(2):  # a lab that comes back makes no second one
        await seeding.seed_api_server_pod(client, node_name="bookmesh", host_ip="127.97.1.254")
    (pod,) = (await client.list(kubernetes.PODS, "kube-system")).items
    assert pod["metadata"]["name"] == "kube-apiserver-bookmesh"
    assert "--service-cluster-ip-range=10.96.0.0/16" in pod["spec"]["containers"][0]["command"]
    assert pod["status"]["phase"] == "Running"
    await client.delete(kubernetes.PODS, "kube-apiserver-bookmesh", "kube-system")
    assert (await client.list(kubernetes.PODS, "kube-system")).items == []
