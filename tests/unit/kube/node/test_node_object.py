from __future__ import annotations

import asyncio
import datetime
from pathlib import Path

import pytest
from tests.unit.kube.node import fakes

from bookmesh.base.kubernetes import NODES, ApiError, JsonObject, Resource
from bookmesh.base.pods import GIVEN_SIZE
from bookmesh.kube.node import images, node_object

NOW = datetime.datetime(2026, 5, 9, 12, 0, tzinfo=datetime.UTC)
MACHINE = node_object.Machine(
    kernel="6.1.0",
    os_image="Debian",
    architecture="amd64",
    machine_id="m",
    boot_id="b",
    capacity={"cpu": "2", "memory": "4Gi", "pods": "250"},
)


def build(size: dict[str, str] | None = None) -> JsonObject:
    return node_object.build_node(
        MACHINE,
        name="bookmesh",
        host_ip="127.97.0.254",
        now=NOW,
        size=size,
    )


def test_a_node_is_ready_and_says_what_it_has() -> None:
    status = build()["status"]
    assert {item["type"]: item["status"] for item in status["conditions"]}["Ready"] == "True"
    assert status["addresses"][0] == {"type": "InternalIP", "address": "127.97.0.254"}
    assert status["allocatable"] == {"cpu": "2", "memory": "4Gi", "pods": "250"}
    assert status["nodeInfo"]["kubeletVersion"] == "v1.37.0"


def test_a_node_of_a_given_size_offers_that_and_says_so() -> None:
    plain, sized = build(), build(size={"cpu": "1500m"})
    assert sized["status"]["allocatable"] == {"cpu": "1500m", "memory": "4Gi", "pods": "250"}
    assert sized["status"]["capacity"] == sized["status"]["allocatable"]
    assert sized["metadata"]["annotations"] == {GIVEN_SIZE: "true"}
    assert "annotations" not in plain["metadata"]


async def test_a_node_that_was_of_a_given_size_is_so_no_longer() -> None:
    client = fakes.FakeClient()
    await node_object.register(client, build(size={"cpu": "1"}))
    await node_object.register(client, build())
    renewed = await client.get(NODES, "bookmesh")
    assert renewed["metadata"]["annotations"] == {}
    assert renewed["status"]["allocatable"]["cpu"] == "2"


async def test_registering_creates_the_node_or_renews_it() -> None:
    client = fakes.FakeClient()
    await node_object.register(client, build())
    created = await client.get(NODES, "bookmesh")
    await client.patch(
        NODES, "bookmesh", "", {"metadata": {"labels": {"mine": "stays"}}, "spec": {"taints": [{}]}}
    )
    await node_object.register(client, build())
    renewed = await client.get(NODES, "bookmesh")
    assert renewed["metadata"]["uid"] == created["metadata"]["uid"]
    assert renewed["metadata"]["labels"]["mine"] == "stays"
    assert renewed["metadata"]["labels"]["kubernetes.io/hostname"] == "bookmesh"
    assert renewed["spec"]["taints"] == [{}]


def test_this_machine_can_be_read(tmp_path: Path) -> None:
    machine = node_object.read_machine(tmp_path)
    assert int(machine.capacity["cpu"]) >= 1
    assert machine.capacity["memory"].endswith("Ki")
    assert machine.kernel


async def test_a_heartbeat_renews_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    client = fakes.FakeClient()
    monkeypatch.setattr(node_object, "_LEASE_S", 0.001)
    monkeypatch.setattr(node_object, "_LEASES_PER_STATUS", 2)
    await node_object.register(client, build())
    task = asyncio.create_task(node_object.beat(client, build(), fakes.FakeImages()))

    def lease() -> JsonObject:
        return client.find(node_object.LEASES, "bookmesh", "kube-node-lease") or {}

    renewed = (await fakes.until(lease))["spec"]["renewTime"]
    await fakes.until(lambda: lease()["spec"]["renewTime"] > renewed)
    assert lease()["spec"]["holderIdentity"] == "bookmesh"

    def beaten() -> bool:
        node = client.find(NODES, "bookmesh", "") or {}
        return bool(node["status"]["conditions"][0]["lastHeartbeatTime"] > "2026-05-09T12:00:00Z")

    await fakes.until(beaten)
    task.cancel()


async def test_a_heartbeat_that_is_refused_is_logged_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing(fakes.FakeClient):
        async def create(self, resource: Resource, body: JsonObject) -> JsonObject:
            raise ApiError(403, "Forbidden", "namespace is being deleted")

    monkeypatch.setattr(node_object, "_LEASE_S", 0.001)
    task = asyncio.create_task(node_object.beat(Refusing(), build(), fakes.FakeImages()))
    await fakes.until(
        lambda: caplog.text.count("heartbeat of the node not written: namespace is being deleted") > 1
    )
    task.cancel()


def test_loaded_images_are_shown_the_largest_first() -> None:
    small = images.Listed(("a@sha256:1", "a:1"), 5)
    many = images.Listed(tuple(f"b:{number}" for number in range(9)), 7)
    shown = node_object.with_images(build(), [small, many])["status"]["images"]
    assert shown == [
        {"names": ["b:0", "b:1", "b:2", "b:3", "b:4"], "sizeBytes": 7},
        {"names": ["a@sha256:1", "a:1"], "sizeBytes": 5},
    ]


async def test_an_image_that_comes_is_told_with_the_next_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    client, resolver = fakes.FakeClient(), fakes.FakeImages()
    monkeypatch.setattr(node_object, "_LEASE_S", 0.001)
    await node_object.register(client, build())
    task = asyncio.create_task(node_object.beat(client, build(), resolver))
    try:
        async with asyncio.timeout(60):
            while client.find(node_object.LEASES, "bookmesh", "kube-node-lease") is None:
                await asyncio.sleep(0.001)
            resolver.known.add("mine:1")
            resolver.loaded["mine:1"] = images.Image("mine:1", ())
            while not (client.find(NODES, "bookmesh", "") or {})["status"].get("images"):
                await asyncio.sleep(0.001)
    finally:
        task.cancel()
    node = await client.get(NODES, "bookmesh")
    assert node["status"]["images"] == [{"names": ["mine:1"], "sizeBytes": 1}]
