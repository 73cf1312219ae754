"""The life of a release under the real Helm 4 SDK: the library that the `helm` command is made of."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest
import yaml
from tests.clients.conftest import Cluster
from tests.clients.living import living
from tests.clients.local_streams import LocalStreams

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject, Resource
from bookmesh.kube.api import versions

CHART = Path(__file__).parent / "charts" / "shop"
TIMEOUT_S = 60
GADGETS = Resource("example.com", "v1", "gadgets")
JOBS = Resource("batch", "v1", "jobs")


class Helm:
    """The SDK blocks: every call runs in a thread, while the server runs here."""

    def __init__(self, config: helm.Config, chart: helm.Chart) -> None:
        self.config, self.chart = config, chart

    async def call(self, action: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        return await asyncio.wait_for(asyncio.to_thread(action, *arguments, **options), TIMEOUT_S * 2)

    async def install(self, **values: Any) -> JsonObject:
        found: JsonObject = await self.call(
            self.config.install, self.chart, "shop", values, wait="watcher", timeout=TIMEOUT_S
        )
        return found

    async def upgrade(self, **values: Any) -> JsonObject:
        found: JsonObject = await self.call(
            self.config.upgrade, self.chart, "shop", values, wait="watcher", timeout=TIMEOUT_S
        )
        return found

    async def rollback(self, version: int) -> None:
        await self.call(self.config.rollback, "shop", version=version, wait="watcher", timeout=TIMEOUT_S)


@pytest.fixture
async def shop(cluster: Cluster) -> AsyncIterator[Helm]:
    kubeconfig = str(cluster.directory / "kubeconfig")
    async with living(cluster):
        with (
            helm.Config(kubeconfig_path=kubeconfig, namespace="default") as config,
            helm.Chart.load(CHART) as chart,
        ):
            yield Helm(config, chart)


async def get(cluster: Cluster, resource: Resource, name: str = "shop") -> JsonObject:
    return await cluster.client.get(resource, name, "default")


async def data_of(cluster: Cluster) -> dict[str, str]:
    found: dict[str, str] = (await get(cluster, kubernetes.CONFIG_MAPS))["data"]
    return found


@pytest.fixture
def kubectl_binary() -> Path:
    """No kubectl is needed: once is enough."""
    return Path("/nonexistent/kubectl")


@pytest.mark.covers("Helm", "install", "install --wait", "hooks")
async def test_install_waits_for_hooks_definitions_and_pods(cluster: Cluster, shop: Helm) -> None:
    release = await shop.install()
    assert release["status"] == "deployed"
    hook = await get(cluster, JOBS, "shop-prepare")
    assert hook["status"]["succeeded"] == 1
    assert (await get(cluster, GADGETS))["spec"]["size"] == 3
    assert (await get(cluster, kubernetes.DEPLOYMENTS))["status"]["readyReplicas"] == 2
    assert await data_of(cluster) == {
        "kubernetes": versions.GIT_VERSION,
        "hasJobs": "true",
        "hasGadgets": "true",
        "hasNothing": "false",
        "password": "made",
    }
    secret = await get(cluster, kubernetes.SECRETS, "shop-password")
    assert base64.b64decode(secret["data"]["password"]) == b"secret"


async def test_releases_are_kept_as_secrets(cluster: Cluster, shop: Helm) -> None:
    await shop.install()
    stored = await get(cluster, kubernetes.SECRETS, "sh.helm.release.v1.shop.v1")
    assert stored["type"] == "helm.sh/release.v1"
    assert stored["metadata"]["labels"]["status"] == "deployed"
    listed = await shop.call(shop.config.list)
    assert [(each["name"], each["status"]) for each in listed] == [("shop", "deployed")]
    values = await shop.call(shop.config.get_values, "shop", all_values=True)
    assert values["replicas"] == 2


@pytest.mark.covers("Helm", "upgrade", "rollback", "history")
async def test_upgrade_rollback_and_history(cluster: Cluster, shop: Helm) -> None:
    await shop.install(labels={"tier": "front"})
    await shop.upgrade(image="web:2", replicas=3)
    deployment = await get(cluster, kubernetes.DEPLOYMENTS)
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "web:2"
    assert deployment["status"]["updatedReplicas"] == 3
    assert deployment["metadata"]["labels"] == {"app": "shop", "app.kubernetes.io/managed-by": "Helm"}
    assert (await data_of(cluster))["password"] == "found secret"
    await shop.rollback(1)
    deployment = await get(cluster, kubernetes.DEPLOYMENTS)
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "web:1"
    assert deployment["metadata"]["labels"]["tier"] == "front"
    history = await shop.call(shop.config.history, "shop")
    assert [each["status"] for each in history] == ["superseded", "superseded", "deployed"]


@pytest.mark.covers("Helm", "conflicts")
async def test_what_somebody_scaled_is_a_conflict(cluster: Cluster, shop: Helm) -> None:
    await shop.install()
    await cluster.client.patch(
        kubernetes.DEPLOYMENTS, "shop", "default", {"spec": {"replicas": 5}}, subresource="scale"
    )
    with pytest.raises(
        helm.HelmError, match=r'conflict with "bookmesh" with subresource "scale" using apps/v1'
    ):
        await shop.upgrade(replicas=3)
    assert (await get(cluster, kubernetes.DEPLOYMENTS))["spec"]["replicas"] == 5


@pytest.mark.covers("Helm", "test")
async def test_helm_test_runs_a_pod_and_shows_its_log(cluster: Cluster, shop: Helm) -> None:
    await shop.install()
    assert isinstance(cluster.streams, LocalStreams)
    cluster.streams.say("the shop answers")
    cluster.streams.end()
    result = await shop.call(shop.config.test, "shop", timeout=TIMEOUT_S, logs=True)
    assert "the shop answers" in result["logs"]


async def test_a_failing_hook_fails_the_install(cluster: Cluster, shop: Helm) -> None:
    with pytest.raises(helm.HelmError, match="failed pre-install"):
        await shop.install(failHook=True)
    assert (await shop.call(shop.config.list, all_states=True))[0]["status"] == "failed"


@pytest.mark.covers("Helm", "install --dry-run=server")
async def test_a_dry_run_on_the_server_changes_nothing(cluster: Cluster, shop: Helm) -> None:
    definition = yaml.safe_load((CHART / "crds" / "gadgets.yaml").read_text())
    await cluster.client.create(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, definition)
    before = len(cluster.over.list(kubernetes.SECRETS))
    release = await shop.call(shop.config.install, shop.chart, "shop", {}, dry_run="server")
    assert 'password: "made"' in release["manifest"]
    assert len(cluster.over.list(kubernetes.SECRETS)) == before
    with pytest.raises(ApiError, match="not found"):
        await get(cluster, kubernetes.DEPLOYMENTS)


@pytest.mark.covers("Helm", "uninstall")
async def test_uninstall_removes_what_the_release_made(cluster: Cluster, shop: Helm) -> None:
    await shop.install()
    await shop.call(shop.config.uninstall, "shop", wait="watcher", timeout=TIMEOUT_S)
    for resource in (kubernetes.DEPLOYMENTS, kubernetes.CONFIG_MAPS, GADGETS):
        with pytest.raises(ApiError, match="not found"):
            await get(cluster, resource)
    assert await shop.call(shop.config.list) == []
    definitions = cluster.over.list(kubernetes.CUSTOM_RESOURCE_DEFINITIONS)
    assert [each.name for each in definitions] == ["gadgets.example.com"]


async def test_refusals_reach_people_in_the_servers_words(cluster: Cluster, shop: Helm) -> None:
    with pytest.raises(helm.HelmError, match=r"must be greater than or equal to 0|spec.replicas"):
        await shop.install(replicas=-1)
