from __future__ import annotations

import asyncio

import pytest
from tests.unit.mesh.control.fake_kubernetes import until

from bookmesh.base.kubernetes import INGRESSES, ApiError
from bookmesh.mesh.control import ingress_addresses
from bookmesh.mesh.control.ingress_addresses import IngressAddresses, addresses_of

SERVICE = {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"ip": "127.97.0.1"}]}}}
SHOP = {"metadata": {"name": "shop", "namespace": "default"}, "spec": {}}


@pytest.fixture
async def writer(client, monkeypatch):
    monkeypatch.setattr(ingress_addresses, "RETRY_PAUSE_S", 0.001)
    writer = IngressAddresses(client)
    task = asyncio.create_task(writer.run())
    yield writer
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def shown(client):
    status = client.objects[INGRESSES, "default", "shop"].get("status") or {}
    return status.get("loadBalancer", {}).get("ingress")


async def test_an_ingress_gets_the_addresses_of_the_gateway_once(client, writer):
    writer.report([client.put(INGRESSES, SHOP)], SERVICE)
    await until(lambda: shown(client) == [{"ip": "127.97.0.1"}])
    writer.report([client.objects[INGRESSES, "default", "shop"]], SERVICE)
    await until(lambda: not writer._wake.is_set())
    assert [call[0] for call in client.calls].count("patch") == 1


async def test_addresses_go_when_the_gateway_goes(client, writer):
    status = {"loadBalancer": {"ingress": [{"ip": "127.97.0.1"}]}}
    writer.report([client.put(INGRESSES, {**SHOP, "status": status})], None)
    await until(lambda: shown(client) == [])


async def test_a_failing_write_is_tried_again_and_a_lost_ingress_is_not(client, writer):
    client.failures["patch", "ingresses"] = [
        ApiError(500, "InternalError", "later"),
        ApiError(404, "NotFound", ""),
    ]
    writer.report([client.put(INGRESSES, SHOP)], SERVICE)
    await until(lambda: not client.failures["patch", "ingresses"])
    writer.report([client.objects[INGRESSES, "default", "shop"]], SERVICE)
    await until(lambda: shown(client) == [{"ip": "127.97.0.1"}])


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (None, []),
        ({"spec": {"type": "ClusterIP"}}, []),
        (
            {"spec": {"type": "ExternalName", "externalName": "edge.example.com"}},
            [{"hostname": "edge.example.com"}],
        ),
        (
            {
                "spec": {"externalIPs": ["10.0.0.9"]},
                "status": {
                    "loadBalancer": {"ingress": [{"hostname": "b"}, {"ip": "10.0.0.10", "ipMode": "VIP"}]}
                },
            },
            [{"ip": "10.0.0.10"}, {"ip": "10.0.0.9"}, {"hostname": "b"}],
        ),
    ],
)
def test_addresses_come_from_the_service(service, expected):
    assert addresses_of(service) == expected
