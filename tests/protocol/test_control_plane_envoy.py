"""The whole way, from objects of an API server to what a real Envoy does with requests."""

from __future__ import annotations

import asyncio
import statistics

import pytest
from tests.local_ports import free_port
from tests.protocol import real_envoy
from tests.protocol.real_envoy import until
from tests.unit.mesh.control import small_mesh
from tests.unit.mesh.control.fake_kubernetes import FakeClient

from bookmesh.base.kubernetes import EVENTS
from bookmesh.mesh.control.control_plane import ControlPlane
from bookmesh.mesh.identity.authority import CertificateAuthority
from bookmesh.mesh.snapshot.settings import MeshSettings


class World:
    """A control plane over a fake API server, and one Envoy: the gateway, listening on `port`."""

    def __init__(self, directory) -> None:
        self.client = FakeClient()
        self.port = free_port()
        authority = CertificateAuthority.open(directory / "ca")
        settings = MeshSettings(access_log_path="")
        self.plane = ControlPlane(self.client, authority, directory / "xds", settings)

    def put(self, resource, obj) -> None:
        self.client.put(resource, obj)

    async def answers(self, text: str) -> None:
        async def is_answered() -> bool:
            return await real_envoy.get(self.port, host=small_mesh.HOST) == (200, text)

        await until(is_answered)

    async def settled(self) -> None:
        async def is_settled() -> bool:
            (status,) = self.plane.status()
            return status.is_connected and set(status.types.values()) <= {"SYNCED", "NOT SENT"}

        await until(is_settled)


@pytest.fixture
async def world(tmp_path, monkeypatch):
    real_envoy.open_gates_by_acks_alone(monkeypatch)
    async with (
        real_envoy.backend("v1", "127.0.0.11") as backend_port,
        real_envoy.backend("v2", "127.0.0.12", backend_port),
    ):
        world = World(tmp_path)
        small_mesh.populate(world.client, listen=world.port, backends=backend_port)
        running = asyncio.create_task(world.plane.run())
        endpoint = await world.plane.open_proxy(small_mesh.GATEWAY_POD)
        bootstrap = real_envoy.bootstrap(endpoint.socket_path, endpoint.bootstrap["node"]["id"])
        async with real_envoy.running(bootstrap, tmp_path) as world.envoy:
            await world.answers("v1")
            await world.settled()
            yield world
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_route_moves_when_its_yaml_changes(world):
    world.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v2"))
    await world.answers("v2")


async def test_subsets_come_and_go_under_load_without_a_failed_request(world):
    async with real_envoy.load(world.port, small_mesh.HOST) as answers:
        for number in range(1, 16):
            name = f"v2-{number}"
            world.put(small_mesh.DESTINATION_RULES, small_mesh.subsets(name))
            world.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to(name))
            await world.answers("v2")
            await world.settled()
    assert {status for status, _ in answers} == {200}
    assert {text for _, text in answers[-4:]} == {"v2"}


async def test_a_refusal_is_reported_on_the_envoy_filter_and_taken_back(world):
    world.put(small_mesh.ENVOY_FILTERS, small_mesh.route_patch(safe_regex={"regex": "/([a-z"}))

    async def reported() -> object:
        found = world.client.objects[small_mesh.ENVOY_FILTERS, "default", "patch"]
        return found.get("status", {}).get("conditions")

    (condition,) = await until(reported)
    assert condition["status"] == "False"
    assert condition["reason"] == "EnvoyRejected"
    assert "missing" in condition["message"]
    (status,) = world.plane.status()
    (refusal,) = status.refusals
    assert [str(ref) for ref in refusal.objects] == ["EnvoyFilter default/patch"]
    assert status.types[refusal.type] == "STALE"

    async def event() -> object:
        return [obj for (resource, _, _), obj in world.client.objects.items() if resource == EVENTS]

    (written,) = await until(event)
    assert written["reason"] == "EnvoyRejected"
    assert written["involvedObject"]["name"] == "patch"
    await world.answers("v1")

    world.put(small_mesh.ENVOY_FILTERS, small_mesh.route_patch(safe_regex={"regex": "/([a-z])?"}))
    world.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v2"))
    await world.answers("v2")
    await world.settled()
    assert world.plane.findings() == []


async def test_a_route_that_no_envoy_would_take_leaves_the_one_before_in_force(world):
    world.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v2", [{"uri": {"regex": "/([a-z"}}]))

    async def reported() -> object:
        return [finding for finding in world.plane.findings() if finding.code == "BM0201"]

    (finding,) = await until(reported)
    assert "missing ]: [a-z" in finding.message
    await world.answers("v1")
    (status,) = world.plane.status()
    assert status.refusals == ()
    world.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v2"))
    await world.answers("v2")


async def test_changes_are_in_effect_soon(world):
    times_ms = []
    for number in range(40):
        version = ("v2", "v1")[number % 2]
        started = asyncio.get_running_loop().time()
        world.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to(version))
        while await real_envoy.get(world.port, host=small_mesh.HOST) != (200, version):
            assert asyncio.get_running_loop().time() - started < 20
        times_ms.append((asyncio.get_running_loop().time() - started) * 1000)
        await asyncio.sleep(0.01)
    await world.settled()
    acked_ms = [time_s * 1000 for time_s in world.plane.propagation_s]
    print(  # noqa: T201
        f"written to effective: p50 {statistics.median(times_ms):.1f} max {max(times_ms):.1f} ms; "
        f"seen to acked: p50 {statistics.median(acked_ms):.1f} max {max(acked_ms):.1f} ms"
    )
    # A busy machine makes most of them slower: the best ones show what the plane itself takes.
    assert statistics.quantiles(times_ms, n=10)[0] < 100
