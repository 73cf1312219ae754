from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import inprocess, verbs
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store.store import Store
from bookmesh.lab import seeding


@pytest.fixture
def client() -> inprocess.InProcessClient:
    return inprocess.InProcessClient(verbs.Verbs(Store.open(None), kinds.Kinds(), schemas.Schemas.load()))


async def test_a_new_lab_has_what_a_cluster_and_istio_have(client: inprocess.InProcessClient) -> None:
    await seeding.seed_cluster(client)
    await seeding.seed_objects(client)
    default = await client.get(kubernetes.NAMESPACES, "default")
    assert default["metadata"]["labels"]["istio-injection"] == "enabled"
    api = await client.get(kubernetes.SERVICES, "kubernetes", "default")
    assert api["spec"]["clusterIP"] == "10.96.0.1"
    dns = await client.get(kubernetes.SERVICES, "kube-dns", "kube-system")
    assert dns["spec"]["clusterIP"] == "10.96.0.10"
    gateway = await client.get(kubernetes.SERVICES, "istio-ingressgateway", "istio-system")
    assert [port["port"] for port in gateway["spec"]["ports"]] == [15021, 80, 443, 31400]
    crds = await client.list(kubernetes.CUSTOM_RESOURCE_DEFINITIONS)
    assert "virtualservices.networking.istio.io" in {crd["metadata"]["name"] for crd in crds.items}


async def test_seeding_again_changes_nothing(client: inprocess.InProcessClient) -> None:
    await seeding.seed_cluster(client)
    before = (await client.list(kubernetes.CUSTOM_RESOURCE_DEFINITIONS)).resource_version
    await seeding.seed_cluster(client)
    assert (await client.list(kubernetes.CUSTOM_RESOURCE_DEFINITIONS)).resource_version == before


async def test_what_a_person_deleted_stays_deleted(client: inprocess.InProcessClient) -> None:
    await seeding.seed_cluster(client)
    await seeding.seed_objects(client)
    await client.delete(kubernetes.DEPLOYMENTS, "istio-ingressgateway", "istio-system")
    await seeding.seed_cluster(client)
    with pytest.raises(ApiError, match="not found"):
        await client.get(kubernetes.DEPLOYMENTS, "istio-ingressgateway", "istio-system")


async def test_an_old_definition_is_brought_up_to_date(client: inprocess.InProcessClient) -> None:
    await seeding.seed_cluster(client)
    name = "virtualservices.networking.istio.io"
    shorter = {"spec": {"names": {"shortNames": ["old"]}}}
    await client.patch(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, name, "", shorter)
    await seeding.seed_cluster(client)
    crd = await client.get(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, name)
    assert crd["spec"]["names"]["shortNames"] == ["vs"]


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
