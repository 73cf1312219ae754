from __future__ import annotations

import pytest
from tests.unit.mesh.control import small_mesh
from tests.unit.mesh.control.fake_kubernetes import FakeClient

from bookmesh.base.kubernetes import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES
from bookmesh.mesh.control import proxies
from bookmesh.mesh.control.building import Builder, Objects
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.wire import type_urls

CONFIGS = (small_mesh.VIRTUAL_SERVICES, small_mesh.DESTINATION_RULES, small_mesh.GATEWAYS)


@pytest.fixture
def client():
    client = FakeClient()
    small_mesh.populate(client, listen=8080, backends=9080)
    return client


@pytest.fixture
def builder():
    return Builder(MeshSettings())


def objects(client):
    def of(*resources):
        return [obj for (resource, _, _), obj in client.objects.items() if resource in resources]

    return Objects(of(SERVICES), of(ENDPOINT_SLICES), of(PODS), of(NAMESPACES), of(*CONFIGS))


def gateway():
    return proxies.build_proxy(small_mesh.GATEWAY_POD, domain="cluster.local")


async def encoded(builder, client):
    snapshot = await builder.build_snapshot(objects(client))
    return builder.encode(builder.translate(gateway(), snapshot))


async def test_equal_content_gives_an_equal_id(builder, client):
    first = await builder.build_snapshot(objects(client))
    client.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v1") | {"status": {"x": 1}})
    assert (await builder.build_snapshot(objects(client))).id == first.id
    client.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v2"))
    assert (await builder.build_snapshot(objects(client))).id != first.id


async def test_an_object_is_parsed_once_per_version(builder, client):
    first = await builder.build_snapshot(objects(client))
    second = await builder.build_snapshot(objects(client))
    assert all(a is b for a, b in zip(first.configs, second.configs, strict=True))


async def test_what_did_not_change_keeps_its_bytes(builder, client):
    first = await encoded(builder, client)
    client.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v2"))
    second = await encoded(builder, client)
    assert first[type_urls.CLUSTER].keys() == second[type_urls.CLUSTER].keys()
    assert all(second[type_urls.CLUSTER][name] is one for name, one in first[type_urls.CLUSTER].items())
    assert first[type_urls.ROUTES] != second[type_urls.ROUTES]


async def test_an_object_that_cannot_be_parsed_is_a_finding(builder, client):
    client.put(small_mesh.VIRTUAL_SERVICES, small_mesh.config("VirtualService", "broken", hosts=7))
    findings = builder.analyze(await builder.build_snapshot(objects(client)))
    assert [str(finding.subject) for finding in findings if finding.code == "BM0201"] == [
        "VirtualService default/broken"
    ]
