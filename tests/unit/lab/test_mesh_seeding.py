from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import inprocess, verbs
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store.store import Store
from bookmesh.lab import mesh_seeding, seeding


@pytest.fixture
def client() -> inprocess.InProcessClient:
    return inprocess.InProcessClient(verbs.Verbs(Store.open(None), kinds.Kinds(), schemas.Schemas.load()))


async def seed(client: inprocess.InProcessClient) -> None:
    """What each start of a lab does."""
    await seeding.seed_cluster(client)
    await mesh_seeding.seed_mesh(client)


async def test_a_new_lab_has_what_istio_has(client: inprocess.InProcessClient) -> None:
    await seed(client)
    await mesh_seeding.seed_objects(client)
    default = await client.get(kubernetes.NAMESPACES, "default")
    assert default["metadata"]["labels"]["istio-injection"] == "enabled"
    gateway = await client.get(kubernetes.SERVICES, "istio-ingressgateway", "istio-system")
    assert [port["port"] for port in gateway["spec"]["ports"]] == [15021, 80, 443, 31400]
    crds = await client.list(kubernetes.CUSTOM_RESOURCE_DEFINITIONS)
    assert "virtualservices.networking.istio.io" in {crd["metadata"]["name"] for crd in crds.items}


async def test_seeding_again_changes_nothing(client: inprocess.InProcessClient) -> None:
    await seed(client)
    before = (await client.list(kubernetes.CUSTOM_RESOURCE_DEFINITIONS)).resource_version
    await seed(client)
    assert (await client.list(kubernetes.CUSTOM_RESOURCE_DEFINITIONS)).resource_version == before


async def test_what_a_person_deleted_stays_deleted(client: inprocess.InProcessClient) -> None:
    await seed(client)
    await mesh_seeding.seed_objects(client)
    await client.delete(kubernetes.DEPLOYMENTS, "istio-ingressgateway", "istio-system")
    await seed(client)
    with pytest.raises(ApiError, match="not found"):
        await client.get(kubernetes.DEPLOYMENTS, "istio-ingressgateway", "istio-system")


async def test_an_old_definition_is_brought_up_to_date(client: inprocess.InProcessClient) -> None:
    await seed(client)
    name = "virtualservices.networking.istio.io"
    shorter = {"spec": {"names": {"shortNames": ["old"]}}}
    await client.patch(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, name, "", shorter)
    await seed(client)
    crd = await client.get(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, name)
    assert crd["spec"]["names"]["shortNames"] == ["vs"]
