from __future__ import annotations

import pytest
from tests.unit.mesh.control import small_mesh
from tests.unit.mesh.control.fake_kubernetes import FakeClient

from bookmesh.base.kubernetes import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES
from bookmesh.mesh.control import proxies
from bookmesh.mesh.control.building import Builder, Changes
from bookmesh.mesh.registry import assembling
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.wire import type_urls

CONFIGS = {
    "VirtualService": small_mesh.VIRTUAL_SERVICES,
    "DestinationRule": small_mesh.DESTINATION_RULES,
    "Gateway": small_mesh.GATEWAYS,
}


@pytest.fixture
def client():
    client = FakeClient()
    small_mesh.populate(client, listen=8080, backends=9080)
    return client


@pytest.fixture
def builder():
    return Builder(MeshSettings())


def everything(client):
    """All objects, as the changes that a builder hears of first; hearing of them again does no harm."""

    def of(wanted):
        return {(ns, name): obj for (resource, ns, name), obj in client.objects.items() if resource == wanted}

    return Changes(
        assembling.Changes(of(SERVICES), of(ENDPOINT_SLICES), of(PODS), of(NAMESPACES)),
        {(kind, *key): obj for kind, resource in CONFIGS.items() for key, obj in of(resource).items()},
    )


def gateway():
    return proxies.build_proxy(small_mesh.GATEWAY_POD, domain="cluster.local")


async def published(builder, client):
    """What the gateway gets, and what was translated for it, which keeps it in memory."""
    snapshot = await builder.build_snapshot(everything(client))
    translated = await builder.translate(gateway(), snapshot)
    return (await builder.encode(translated)).resources, translated


async def test_equal_content_gives_the_same_snapshot(builder, client):
    first = await builder.build_snapshot(everything(client))
    client.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v1") | {"status": {"x": 1}})
    assert await builder.build_snapshot(everything(client)) is first
    client.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v2"))
    assert await builder.build_snapshot(everything(client)) != first


async def test_an_object_is_parsed_once_per_content(builder, client):
    first = await builder.build_snapshot(everything(client))
    client.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v2"))
    second = await builder.build_snapshot(everything(client))
    same = [a is b for a, b in zip(first.configs, second.configs, strict=True)]
    assert same.count(False) == 1


async def test_an_object_that_goes_is_gone(builder, client):
    await builder.build_snapshot(everything(client))
    gone = {("VirtualService", "default", "reviews"): None}
    snapshot = await builder.build_snapshot(Changes(configs=gone))
    assert snapshot.routings == ()
    assert snapshot == await Builder(MeshSettings()).build_snapshot(
        Changes(
            everything(client).kubernetes,
            {key: obj for key, obj in everything(client).configs.items() if key not in gone},
        )
    )


async def test_what_did_not_change_keeps_its_bytes(builder, client):
    first, _kept = await published(builder, client)
    client.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v2"))
    second, _ = await published(builder, client)
    assert set(first[type_urls.CLUSTER]) == set(second[type_urls.CLUSTER])
    assert all(second[type_urls.CLUSTER][name] is one for name, one in first[type_urls.CLUSTER].items())
    assert dict(first[type_urls.ROUTES]) != dict(second[type_urls.ROUTES])


async def test_an_object_that_cannot_be_parsed_is_a_finding(builder, client):
    client.put(small_mesh.VIRTUAL_SERVICES, small_mesh.config("VirtualService", "broken", hosts=7))
    findings = await builder.analyze(await builder.build_snapshot(everything(client)))
    assert [str(finding.subject) for finding in findings if finding.code == "BM0201"] == [
        "VirtualService default/broken"
    ]


async def own_part(builder, changes, previous=None):
    """What is the gateway's own, after some changes."""
    snapshot = await builder.build_snapshot(changes)
    return snapshot, await builder.translate(gateway(), snapshot, previous)


async def test_the_own_part_of_a_gateway_is_kept_until_a_route_of_a_gateway_changes(builder, client):
    _, first = await own_part(builder, everything(client))
    inside = small_mesh.config(
        "VirtualService", "inside", hosts=["reviews"], http=[{"redirect": {"uri": "/"}}]
    )
    client.put(small_mesh.VIRTUAL_SERVICES, inside)
    client.put(ENDPOINT_SLICES, small_mesh.endpoint_slice("reviews", 9080, "127.0.0.11"))
    _, second = await own_part(builder, everything(client), first)
    assert second.own is first.own
    assert second.shared is not first.shared
    client.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v2"))
    _, third = await own_part(builder, everything(client), second)
    assert third.own is not second.own


async def test_endpoints_in_the_own_part_of_a_gateway_follow_changes(builder, client):
    port = {"number": 15443, "name": "tls", "protocol": "TLS"}
    server = {"port": port, "hosts": ["*.cluster.local"], "tls": {"mode": "AUTO_PASSTHROUGH"}}
    passing = small_mesh.config("Gateway", "passing", selector={"istio": "ingress"}, servers=[server])
    client.put(small_mesh.GATEWAYS, passing)
    for number, version in ((11, "v1"), (12, "v2")):
        labels = {"app": "reviews", "version": version, "security.istio.io/tlsMode": "istio"}
        client.put(PODS, small_mesh.pod(f"reviews-{version}", f"127.0.0.{number}", **labels))
    _, first = await own_part(builder, everything(client))
    client.put(ENDPOINT_SLICES, small_mesh.endpoint_slice("reviews", 9080, "127.0.0.11"))
    snapshot, second = await own_part(builder, everything(client), first)
    fresh = await Builder(MeshSettings()).translate(gateway(), snapshot)

    def endpoints(found):
        return {name: one.serialized for name, one in found.own.built[type_urls.ENDPOINTS].items()}

    assert endpoints(first)
    assert endpoints(first) != endpoints(second)
    assert endpoints(second) == endpoints(fresh)
