"""The loop and its proxies, over a fake API server; `tests/protocol` has the same with real Envoys."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.mesh.control import small_mesh
from tests.unit.mesh.control.fake_kubernetes import FakeClient, until

from bookmesh.base import following
from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.base.kubernetes import CONFIG_MAPS, CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, PODS, SECRETS
from bookmesh.mesh.control.building import Builder
from bookmesh.mesh.control.control_plane import ControlPlane
from bookmesh.mesh.identity.authority import CertificateAuthority
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.wire import type_urls

SETTINGS = MeshSettings()


class Record:
    """What builders did, and where they are to break."""

    def __init__(self) -> None:
        self.translated: list[str] = []
        self.broken: set[str] = set()
        self.found: list[Finding] = []
        self.on_translate: Callable[[str], object] = lambda _name: None


class RecordingBuilder(Builder):
    """The real stages; notes what was translated, and breaks where it is told to."""

    def __init__(self, record: Record) -> None:
        super().__init__(SETTINGS)
        self.record = record

    async def build_snapshot(self, changes):
        if "snapshot" in self.record.broken:
            raise RuntimeError("cannot build")
        return await super().build_snapshot(changes)

    async def translate(self, proxy, snapshot, previous=None):
        self.record.translated.append(proxy.name)
        self.record.on_translate(proxy.name)
        if proxy.name in self.record.broken:
            raise RuntimeError("cannot translate")
        return await super().translate(proxy, snapshot, previous)

    async def analyze(self, snapshot):
        return self.record.found


@pytest.fixture
def client():
    client = FakeClient()
    small_mesh.populate(client, listen=8080, backends=9080)
    return client


@pytest.fixture
def builder():
    return Record()


@pytest.fixture
def plane(client, builder, tmp_path):
    authority = CertificateAuthority.open(tmp_path / "ca")
    return ControlPlane(
        client, authority, tmp_path / "xds", SETTINGS, new_builder=lambda: RecordingBuilder(builder)
    )


@asynccontextmanager
async def running(plane):
    task = asyncio.create_task(plane.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def pushed(plane, uid="uid-of-ingress-0"):
    return plane._proxies[uid].pushed


async def test_a_pod_gets_a_socket_of_its_own_and_a_bootstrap(plane, tmp_path):
    endpoint = await plane.open_proxy(small_mesh.GATEWAY_POD)
    assert endpoint.socket_path == tmp_path / "xds" / "uid-of-ingress-0" / "xds.sock"
    assert endpoint.socket_path.is_socket()
    assert endpoint.socket_path.parent.stat().st_mode & 0o777 == 0o700
    assert endpoint.bootstrap["node"]["id"] == "router~127.0.0.1~ingress-0.default~default.svc.cluster.local"
    assert "/etc/istio/proxy/xds.sock" in str(endpoint.bootstrap["static_resources"])
    await plane.close_proxy("uid-of-ingress-0")
    assert not endpoint.socket_path.parent.exists()
    assert plane.status() == []


async def test_the_socket_can_be_made_where_the_pod_mounts_it(plane, tmp_path):
    volume = tmp_path / "volume"
    volume.mkdir()
    endpoint = await plane.open_proxy(small_mesh.GATEWAY_POD, directory=volume)
    assert endpoint.socket_path == volume / "xds.sock"
    await plane.close_proxy("uid-of-ingress-0")
    assert volume.exists()


async def test_opening_again_replaces(plane):
    first = await plane.open_proxy(small_mesh.GATEWAY_POD)
    second = await plane.open_proxy(small_mesh.GATEWAY_POD)
    assert first.socket_path == second.socket_path
    assert second.socket_path.is_socket()
    assert len(plane.status()) == 1
    await plane.close_proxy("uid-of-ingress-0")


async def test_a_proxy_that_closes_during_a_push_is_not_pushed_to(plane, builder):
    other = copy.deepcopy(small_mesh.GATEWAY_POD)
    other["metadata"] |= {"name": "ingress-1", "uid": "uid-of-ingress-1"}
    await plane.open_proxy(small_mesh.GATEWAY_POD)
    await plane.open_proxy(other)
    closing = []
    builder.on_translate = lambda _name: closing.append(
        asyncio.ensure_future(plane.close_proxy("uid-of-ingress-1"))
    )
    async with running(plane):
        await until(lambda: closing)
        await closing[0]
        builder.on_translate = lambda _name: None
        await until(lambda: pushed(plane))
        assert builder.translated == ["ingress-0"]
        assert plane._unsettled <= {"uid-of-ingress-0"}


async def test_the_end_of_the_run_closes_every_proxy(plane):
    async with running(plane):
        endpoint = await plane.open_proxy(small_mesh.GATEWAY_POD)
        await until(lambda: pushed(plane))
    assert not endpoint.socket_path.exists()


async def test_a_proxy_gets_everything_once_all_objects_are_known(plane, client):
    client.failures["list", "pods"] = [ConnectionResetError("not yet")]
    await plane.open_proxy(small_mesh.GATEWAY_POD)
    async with running(plane):
        await until(lambda: pushed(plane))
        names = pushed(plane).resources.of(type_urls.CLUSTER)
        assert "outbound|9080|v1|reviews.default.svc.cluster.local" in names
        (status,) = plane.status()
        assert (status.name, status.type, status.is_connected, status.error) == (
            "ingress-0",
            "router",
            False,
            "",
        )
        assert set(status.types.values()) == {"NOT SENT"}


async def test_what_changes_nothing_is_not_translated(plane, client, builder):
    await plane.open_proxy(small_mesh.GATEWAY_POD)
    async with running(plane):
        await until(lambda: pushed(plane))
        before = len(builder.translated)
        client.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v1") | {"status": {"x": 1}})
        client.put(small_mesh.VIRTUAL_SERVICES, small_mesh.route_to("v2", name="other"))
        await until(lambda: len(builder.translated) > before)
        assert len(builder.translated) == before + 1


async def test_labels_of_a_running_pod_follow_the_object(plane, client, builder):
    await plane.open_proxy(small_mesh.GATEWAY_POD)
    async with running(plane):
        await until(lambda: pushed(plane))
        assert pushed(plane).resources.of(type_urls.LISTENER)
        client.put(PODS, small_mesh.pod("ingress-0", "127.0.0.1", gateway=True, istio="other"))
        await until(lambda: not pushed(plane).resources.of(type_urls.LISTENER))


async def test_what_breaks_for_one_proxy_leaves_the_others_alone(plane, client, builder, caplog):
    builder.broken.add("ingress-0")
    await plane.open_proxy(small_mesh.GATEWAY_POD)
    await plane.open_proxy(small_mesh.pod("reviews-v1", "127.0.0.11", app="reviews", version="v1"))
    async with running(plane):
        await until(lambda: pushed(plane, "uid-of-reviews-v1"))
        statuses = {status.name: status.error for status in plane.status()}
        assert statuses == {"ingress-0": "RuntimeError: cannot translate", "reviews-v1": ""}
        assert "cannot translate" in caplog.text
        builder.broken.clear()
        client.put(NAMESPACES, {"metadata": {"name": "another"}})
        await until(lambda: pushed(plane))
        assert {status.error for status in plane.status()} == {""}


async def test_what_breaks_the_build_leaves_the_last_configuration(plane, client, builder, caplog):
    await plane.open_proxy(small_mesh.GATEWAY_POD)
    async with running(plane) as task:
        await until(lambda: pushed(plane))
        before = pushed(plane)
        builder.broken.add("snapshot")
        client.put(NAMESPACES, {"metadata": {"name": "another"}})
        await until(lambda: plane.error == "RuntimeError: cannot build")
        assert pushed(plane) is before
        assert not task.done()
        builder.broken.clear()
        client.put(NAMESPACES, {"metadata": {"name": "third"}})
        await until(lambda: pushed(plane) is not before)
        assert plane.error == ""


async def test_a_bug_ends_the_run(plane, client):
    client.failures["list", "pods"] = [KeyError("bug")]
    with pytest.raises(ExceptionGroup) as failure:
        await asyncio.wait_for(plane.run(), 20)
    assert isinstance(failure.value.exceptions[0], KeyError)


async def test_findings_reach_the_object(plane, client, builder):
    ref = ObjectRef("VirtualService", "reviews", "default")
    builder.found = [Finding(code="BM0203", message="no such subset", subject=ref)]
    async with running(plane):
        reviews = (small_mesh.VIRTUAL_SERVICES, "default", "reviews")
        await until(lambda: "status" in client.objects[reviews])
        assert plane.findings() == builder.found
        assert client.objects[reviews]["status"]["conditions"][0]["reason"] == "MissingSubset"


async def test_a_certificate_is_renewed_at_half_its_life(plane):
    await plane.open_proxy(small_mesh.GATEWAY_POD)
    first = plane._proxies["uid-of-ingress-0"].certificate
    assert first.spiffe_id == "spiffe://cluster.local/ns/default/sa/ingress"
    plane.rotate_certificates(datetime.now(UTC) + timedelta(hours=11))
    assert plane._proxies["uid-of-ingress-0"].certificate is first
    plane.rotate_certificates(datetime.now(UTC) + timedelta(hours=13))
    assert plane._proxies["uid-of-ingress-0"].certificate.chain != first.chain
    await plane.close_proxy("uid-of-ingress-0")


async def test_mesh_configuration_is_followed_while_it_changes(client, plane):
    metadata = {"name": "istio", "namespace": "istio-system"}
    async with running(plane):
        await until(lambda: plane._snapshot is not None)
        before = plane._snapshot
        client.put(CONFIG_MAPS, {"metadata": metadata, "data": {"mesh": "enableAutoMtls: false"}})
        await until(lambda: not plane._snapshot.settings.is_auto_mtls)
        client.remove(CONFIG_MAPS, "istio", "istio-system")
        await until(lambda: plane._snapshot.settings.is_auto_mtls)
        assert plane._snapshot == before


async def test_namespaces_that_are_not_selected_are_not_there(client, plane):
    metadata = {"name": "istio", "namespace": "istio-system"}
    selectors = "discoverySelectors: [{matchLabels: {mesh: 'on'}}]"
    async with running(plane):
        await until(lambda: plane._snapshot is not None)
        before = plane._snapshot
        assert before.registry.services
        assert before.routings
        client.put(CONFIG_MAPS, {"metadata": metadata, "data": {"mesh": selectors}})
        await until(lambda: not plane._snapshot.registry.services)
        assert plane._snapshot.routings == ()
        client.put(NAMESPACES, {"metadata": {"name": "default", "labels": {"mesh": "on"}}})
        await until(lambda: plane._snapshot.registry.services == before.registry.services)
        assert plane._snapshot.routings == before.routings


async def test_secrets_nobody_names_change_nothing(client, plane, builder):
    async with running(plane):
        await plane.open_proxy(small_mesh.GATEWAY_POD)
        await until(lambda: builder.translated)
        before = plane._snapshot
        client.put(SECRETS, {"metadata": {"name": "x", "namespace": "default"}, "data": {"password": "eA=="}})
        client.put(NAMESPACES, {"metadata": {"name": "later"}})
        await until(lambda: plane._snapshot is not before)
        assert plane._snapshot.credentials.found == {}


async def test_a_kind_that_is_installed_is_followed_at_once(client, plane, monkeypatch):
    monkeypatch.setattr(following, "FIRST_PAUSE_S", 3600.0)
    monkeypatch.setattr(following, "LONGEST_PAUSE_S", 3600.0)
    client.absent |= {"virtualservices", "destinationrules"}
    async with running(plane):
        await until(lambda: plane._snapshot is not None)
        assert plane._snapshot.routings == ()
        client.absent.clear()
        names = {"plural": "virtualservices", "kind": "VirtualService"}
        spec = {"group": "networking.istio.io", "names": names}
        client.put(CUSTOM_RESOURCE_DEFINITIONS, {"metadata": {"name": "virtualservices"}, "spec": spec})
        await until(lambda: plane._snapshot.routings)
        assert not plane._configs["DestinationRule"].is_served
