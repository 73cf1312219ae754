"""Everyday verbs of real kubectl on a cluster that lives: rollouts, changes in place, cascades, copies, the proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest
from tests.clients.conftest import Cluster, line_of
from tests.clients.living import living
from tests.clients.manifests import DEPLOYMENT, POD, running_pod

from bookmesh.base.kubernetes import JsonObject

WAIT = "--timeout=50s"


@pytest.fixture
async def alive(cluster: Cluster) -> AsyncIterator[Cluster]:
    async with living(cluster):
        yield cluster


async def read(cluster: Cluster, *arguments: str) -> JsonObject:
    found: JsonObject = orjson.loads(await cluster.ok("get", *arguments, "-o", "json"))
    return found


async def image_of(cluster: Cluster) -> str:
    deployment = await read(cluster, "deployment/reviews")
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


class TestRollouts:
    @pytest.mark.covers(
        "kubectl", "rollout status", "rollout history", "rollout undo", "rollout restart", "set image"
    )
    async def test_history_undo_and_restart(self, alive: Cluster) -> None:
        await alive.ok("apply", "-f", "-", stdin=DEPLOYMENT)
        await alive.ok("rollout", "status", "deployment/reviews", WAIT)
        first = await image_of(alive)
        await alive.ok("set", "image", "deployment/reviews", "reviews=reviews:2")
        await alive.ok("annotate", "deployment/reviews", "kubernetes.io/change-cause=two")
        await alive.ok("rollout", "status", "deployment/reviews", WAIT)
        history = await alive.ok("rollout", "history", "deployment/reviews")
        assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["1", "2"]
        assert "reviews:2" in await alive.ok("rollout", "history", "deployment/reviews", "--revision=2")
        await alive.ok("rollout", "undo", "deployment/reviews")
        await alive.ok("rollout", "status", "deployment/reviews", WAIT)
        assert await image_of(alive) == first
        await alive.ok("rollout", "undo", "deployment/reviews", "--to-revision=2")
        await alive.ok("rollout", "status", "deployment/reviews", WAIT)
        assert await image_of(alive) == "reviews:2"
        before = {pod["metadata"]["name"] for pod in (await read(alive, "pods"))["items"]}
        await alive.ok("rollout", "restart", "deployment/reviews")
        await alive.ok("rollout", "status", "deployment/reviews", WAIT)
        assert not before & {pod["metadata"]["name"] for pod in (await read(alive, "pods"))["items"]}

    @pytest.mark.covers(
        "kubectl", "rollout pause", "rollout resume", "set env", "set resources", "wait --for=jsonpath"
    )
    async def test_a_paused_rollout_waits(self, alive: Cluster) -> None:
        await alive.ok("apply", "-f", "-", stdin=DEPLOYMENT)
        await alive.ok("rollout", "status", "deployment/reviews", WAIT)
        await alive.ok("rollout", "pause", "deployment/reviews")
        await alive.ok("set", "env", "deployment/reviews", "COLOUR=red")
        await alive.ok("set", "resources", "deployment/reviews", "--limits=cpu=1")
        seen = "--for=jsonpath={.status.observedGeneration}=4"
        await alive.ok("wait", seen, "deployment/reviews", WAIT)
        assert len((await read(alive, "rs"))["items"]) == 1
        await alive.ok("rollout", "resume", "deployment/reviews")
        await alive.ok("rollout", "status", "deployment/reviews", WAIT)
        assert len((await read(alive, "rs"))["items"]) == 2
        assert "COLOUR=red" in await alive.ok("set", "env", "deployment/reviews", "--list")


class TestCascades:
    @pytest.mark.covers("kubectl", "delete --cascade=background", "delete --cascade=foreground")
    @pytest.mark.parametrize("cascade", ["background", "foreground"])
    async def test_what_it_made_goes_too(self, alive: Cluster, cascade: str) -> None:
        await alive.ok("apply", "-f", "-", stdin=DEPLOYMENT)
        await alive.ok("rollout", "status", "deployment/reviews", WAIT)
        await alive.ok("delete", "deployment/reviews", f"--cascade={cascade}", WAIT)
        await alive.ok("wait", "--for=delete", "pod", "-l", "app=reviews", WAIT)
        assert (await read(alive, "rs"))["items"] == []

    @pytest.mark.covers("kubectl", "delete --cascade=orphan")
    async def test_orphans_stay_and_are_adopted_again(self, alive: Cluster) -> None:
        await alive.ok("apply", "-f", "-", stdin=DEPLOYMENT)
        await alive.ok("rollout", "status", "deployment/reviews", WAIT)
        before = {pod["metadata"]["name"] for pod in (await read(alive, "pods"))["items"]}
        await alive.ok("delete", "deployment/reviews", "--cascade=orphan", WAIT)
        await alive.ok("apply", "-f", "-", stdin=DEPLOYMENT)
        await alive.ok("rollout", "status", "deployment/reviews", WAIT)
        assert {pod["metadata"]["name"] for pod in (await read(alive, "pods"))["items"]} == before

    @pytest.mark.covers("kubectl", "delete --all", "delete (a namespace)")
    async def test_all_of_a_kind_and_a_whole_namespace(self, alive: Cluster) -> None:
        await alive.ok("create", "namespace", "shop")
        for name in ("a", "b"):
            await alive.ok("create", "configmap", name, "-n", "shop")
        await alive.ok("delete", "configmap", "--all", "-n", "shop")
        await alive.ok("apply", "-n", "shop", "-f", "-", stdin=DEPLOYMENT)
        await alive.ok("delete", "namespace", "shop", WAIT)
        assert "NotFound" in await alive.fails("get", "namespace", "shop")


class TestInPlace:
    @pytest.mark.covers("kubectl", "replace --force")
    async def test_replace_by_force_makes_it_anew(self, alive: Cluster) -> None:
        await alive.ok("apply", "-f", "-", stdin=POD)
        before = (await read(alive, "pod/sleeper"))["metadata"]["uid"]
        await alive.ok("replace", "--force", "-f", "-", stdin=POD)
        assert (await read(alive, "pod/sleeper"))["metadata"]["uid"] != before

    @pytest.mark.covers("kubectl", "wait --for=create")
    async def test_wait_for_what_is_not_there_yet(self, alive: Cluster) -> None:
        async with alive.running("wait", "--for=create", "configmap/late", WAIT) as waiting:
            await asyncio.sleep(0)
            await alive.ok("create", "configmap", "late")
            assert "condition met" in await line_of(waiting)

    @pytest.mark.covers("kubectl", "events")
    async def test_events_of_an_object(self, alive: Cluster) -> None:
        await alive.ok("apply", "-f", "-", stdin=DEPLOYMENT)
        await alive.ok("rollout", "status", "deployment/reviews", WAIT)
        assert "ScalingReplicaSet" in await alive.ok("events", "--for=deployment/reviews")

    @pytest.mark.covers("kubectl", "get --sort-by", "get --chunk-size")
    async def test_lists_come_in_chunks(self, alive: Cluster) -> None:
        for number in range(7):
            await alive.ok("create", "configmap", f"c{number}")
        out = await alive.ok("get", "configmaps", "--chunk-size=2", "--sort-by=.metadata.name", "-o", "name")
        assert [line for line in out.splitlines() if "/c" in line] == [f"configmap/c{n}" for n in range(7)]

    @pytest.mark.covers("kubectl", "get all", "api-resources")
    async def test_everything_at_once(self, alive: Cluster) -> None:
        await alive.ok("apply", "-f", "-", stdin=DEPLOYMENT)
        await alive.ok("expose", "deployment", "reviews", "--port=80", "--target-port=9080")
        out = await alive.ok("get", "all")
        assert {"deployment.apps/reviews", "service/reviews"} <= {
            line.split(" ")[0] for line in out.splitlines()
        }
        names = (await alive.ok("api-resources", "--verbs=list", "-o", "name")).split()
        assert {"jobs.batch", "statefulsets.apps", "roles.rbac.authorization.k8s.io"} <= set(names)
        for name in names:
            await alive.ok("get", name, "-A")

    @pytest.mark.covers("kubectl", "kustomize")
    async def test_kustomize(self, alive: Cluster) -> None:
        folder = alive.directory / "overlay"
        folder.mkdir()
        (folder / "reviews.yaml").write_text(DEPLOYMENT)
        (folder / "kustomization.yaml").write_text("namePrefix: my-\nresources: [reviews.yaml]\n")
        assert "deployment.apps/my-reviews created" in await alive.ok("apply", "-k", str(folder))


class TestStreams:
    @pytest.mark.covers("kubectl", "cp")
    async def test_copy_there_and_back(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        local, remote = cluster.directory / "a.bin", cluster.directory / "there.bin"
        local.write_bytes(bytes(range(256)) * 4000)
        await cluster.ok("cp", "a.bin", f"sleeper:{remote}")
        assert remote.read_bytes() == local.read_bytes()
        await cluster.ok("cp", f"sleeper:{remote}", "back.bin")
        assert (cluster.directory / "back.bin").read_bytes() == local.read_bytes()

    @pytest.mark.covers("kubectl", "proxy")
    async def test_proxy(self, cluster: Cluster) -> None:
        async with cluster.running("proxy", "--port=0") as proxy:
            address = (await line_of(proxy)).rpartition(" ")[2]
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://{address}/api/v1/namespaces") as answer,
            ):
                assert answer.status == 200
                assert (await answer.json())["kind"] == "NamespaceList"
