from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.kube.node import fakes

from bookmesh.base.kubernetes import CONFIG_MAPS, NODES, PODS, ApiError, JsonObject
from bookmesh.base.pods import ExecOptions, LogOptions
from bookmesh.kube.node.agent import Node
from bookmesh.kube.sandbox.namespaces import NetworkNamespace


@contextlib.asynccontextmanager
async def running(bench: fakes.Bench) -> AsyncIterator[Node]:
    node = Node(
        client=bench.client,
        forks=bench.forks,
        network=bench.network,
        images=bench.images,
        volume_drivers={},
        network_hooks=[],
        tokens=bench.tokens,
        directory=bench.settings.directory,
        host_ip="127.97.0.254",
        restart_back_off=fakes.QUICK,
        create_namespace=lambda: NetworkNamespace(-1),
    )
    task = asyncio.create_task(node.run())
    try:
        yield node
    finally:
        await node.stop(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def bench(tmp_path: Path) -> fakes.Bench:
    return fakes.Bench(tmp_path)


def phase(bench: fakes.Bench, name: str = "web") -> str:
    pod = bench.client.find(PODS, name)
    return str(pod["status"]["phase"]) if pod else "gone"


async def start(bench: fakes.Bench, pod: JsonObject) -> JsonObject:
    await bench.client.create(PODS, pod)
    name = pod["metadata"]["name"]
    await fakes.until(lambda: phase(bench, name) == "Running")
    return await bench.client.get(PODS, name, "default")


async def test_the_node_is_registered_and_runs_its_own_pods_only(bench: fakes.Bench) -> None:
    other = fakes.pod(name="other")
    other["spec"]["nodeName"] = "elsewhere"
    unbound = fakes.pod(name="unbound")
    del unbound["spec"]["nodeName"]
    await bench.client.create(PODS, other)
    async with running(bench):
        await bench.client.create(PODS, unbound)
        await start(bench, fakes.pod())
        assert bench.client.find(NODES, "bookmesh", "") is not None
        assert [phase(bench, name) for name in ("other", "unbound")] == ["Pending", "Pending"]
        unbound["spec"]["nodeName"] = "bookmesh"
        await bench.client.update(PODS, unbound)
        await fakes.until(lambda: phase(bench, "unbound") == "Running")


async def test_a_mirror_pod_is_not_run(bench: fakes.Bench) -> None:
    mirror = fakes.pod(name="mirror")
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    await bench.client.create(PODS, mirror)
    async with running(bench):
        await start(bench, fakes.pod())
        assert bench.forks.names() == ["c"]
        assert phase(bench, "mirror") == "Pending"


async def test_a_deleted_pod_goes(bench: fakes.Bench) -> None:
    async with running(bench):
        await start(bench, fakes.pod())
        await bench.client.delete(PODS, "web", "default")
        await fakes.until(lambda: phase(bench) == "gone")
        assert bench.forks.last("c").signals == [signal.SIGTERM]


async def test_a_pod_deleted_while_the_node_was_away_goes_at_once(bench: fakes.Bench) -> None:
    await bench.client.create(PODS, fakes.pod())
    await bench.client.delete(PODS, "web", "default")
    async with running(bench):
        await fakes.until(lambda: phase(bench) == "gone")
        assert bench.forks.started == []


async def test_files_of_pods_that_went_are_removed(bench: fakes.Bench) -> None:
    for path in ("volumes/uid-gone/v", "pods/default_gone_uid-gone/c"):
        (bench.settings.directory / path).mkdir(parents=True)
    kept = bench.settings.directory / "volumes" / "uid-of-web" / "kept"
    kept.mkdir(parents=True)
    await bench.client.create(PODS, fakes.pod())
    async with running(bench):
        await fakes.until(lambda: phase(bench) == "Running")
        assert kept.exists()
        assert not (bench.settings.directory / "volumes" / "uid-gone").exists()
        assert [path.name for path in (bench.settings.directory / "pods").iterdir()] == [
            "default_web_uid-of-web"
        ]


async def test_addresses_of_before_stay(bench: fakes.Bench) -> None:
    first, second = fakes.pod(name="first"), fakes.pod(name="second")
    first["status"] = {"phase": "Pending"}
    second["status"] = {"phase": "Running", "podIP": "10.244.0.2"}
    for pod in (first, second):
        await bench.client.create(PODS, pod)
    async with running(bench):
        await fakes.until(lambda: sorted(bench.network.attached) == ["10.244.0.2", "10.244.0.3"])
        await fakes.until(lambda: phase(bench, "first") == "Running")
        found = bench.client.find(PODS, "second")
        assert found is not None
        assert found["status"]["podIP"] == "10.244.0.2"


async def test_a_changed_config_map_reaches_the_pods_that_name_it(bench: fakes.Bench) -> None:
    metadata = {"name": "settings", "namespace": "default"}
    async with running(bench):
        await bench.client.create(CONFIG_MAPS, {"metadata": metadata, "data": {"a": "1"}})
        await start(bench, fakes.pod(volumes=[{"name": "v", "configMap": {"name": "settings"}}]))
        await bench.client.patch(CONFIG_MAPS, "settings", "default", {"data": {"a": "2"}})
        path = bench.settings.volume_directory("uid-of-web") / "v" / "a"
        await fakes.until(lambda: path.read_text() == "2")


async def test_stopping_ends_all_pods_and_starts_no_more(bench: fakes.Bench) -> None:
    async with running(bench) as node:
        await start(bench, fakes.pod())
        await node.stop(1)
        assert bench.forks.last("c").has_ended
        await bench.client.create(PODS, fakes.pod(name="late"))
        await asyncio.sleep(0.01)
        assert len(bench.forks.started) == 1
        assert bench.client.find(PODS, "web") is not None


async def test_an_error_of_the_node_is_reported_and_does_not_stop_the_others(
    bench: fakes.Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = bench.images.resolve

    def broken(reference: str) -> object:
        if reference == "broken":
            raise KeyError("bug")
        return resolve(reference)

    monkeypatch.setattr(bench.images, "resolve", broken)
    async with running(bench) as node:
        await bench.client.create(
            PODS, fakes.pod({"name": "good"}, {"name": "c", "image": "broken"}, name="bad")
        )
        await start(bench, fakes.pod())
        await fakes.until(lambda: node._broken)
        assert bench.forks.last("good").has_ended
        await node.machinery.events.drained()
        assert ("InternalError", "the node failed to run this pod: KeyError('bug')") in await bench.events()
        await bench.client.delete(PODS, "bad", "default")
        await fakes.until(lambda: phase(bench, "bad") == "gone")


async def test_logs_and_exec_go_to_the_pod(bench: fakes.Bench) -> None:
    bench.forks.scripts["c"] = lambda process: process.print("hello\n")

    async def answer() -> tuple[int, str]:
        return 3, "out"

    bench.forks.commands["ask"] = answer
    async with running(bench) as node:
        pod = await start(bench, fakes.pod())
        chunks = node.logs(pod, LogOptions("c", follow=True))
        assert await anext(chunks) == b"hello\n"
        session = await node.execute(pod, ExecOptions("c", ("ask",)))
        assert [item async for item in session.output()] == [(1, b"out")]
        assert await session.wait() == 3
        await session.close()


async def test_a_pod_of_another_node_is_refused(bench: fakes.Bench) -> None:
    async with running(bench) as node:
        with pytest.raises(ApiError, match="pod web does not run on this node") as refused:
            await node.execute(fakes.pod(), ExecOptions("c", ("ask",)))
        assert refused.value.code == 400
