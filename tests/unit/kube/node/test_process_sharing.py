"""Which PID namespace a container joins."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.kube.node import fakes
from tests.unit.kube.node.living import Life, living

from bookmesh.base.kubernetes import PODS, JsonObject, copy_json


@pytest.fixture
def bench(tmp_path: Path) -> fakes.Bench:
    return fakes.Bench(tmp_path)


async def join(life: Life, *containers: JsonObject) -> None:
    """Add ephemeral containers, as the API server does on behalf of a client."""
    assert life.pod is not None
    pod = copy_json(life.pod)
    pod["spec"]["ephemeralContainers"] = [{"image": "app", **container} for container in containers]
    life.worker.update(await life.bench.client.update(PODS, pod))


def ephemeral(life: Life) -> list[JsonObject]:
    statuses: list[JsonObject] = life.status.get("ephemeralContainerStatuses", [])
    return statuses


async def test_containers_have_their_processes_to_themselves(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod()) as life:
        await life.until(life.is_ready)
        assert [process.beside for process in bench.forks.started] == [None]


async def test_a_pod_that_shares_has_a_first_process_for_all(bench: fakes.Bench) -> None:
    pod = fakes.pod({"name": "c"}, {"name": "d"}, shareProcessNamespace=True)
    async with living(bench, pod) as life:
        await life.until(life.is_ready)
        first, *others = bench.forks.started
        assert (first.spec.argv, first.beside) == (("pause",), None)
        assert [process.beside for process in others] == [first.pid, first.pid]
        bench.forks.last("d").end(0)
        await life.until(lambda: life.container("d")["restartCount"] == 1)
        assert not first.has_ended
        await life.delete()
        await asyncio.wait_for(life.task, 20)
        assert first.has_ended


async def test_an_ephemeral_container_joins_its_target_and_runs_once(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod()) as life:
        await life.until(life.is_ready)
        await join(life, {"name": "look", "targetContainerName": "c"})
        await life.until(lambda: ephemeral(life) and "running" in ephemeral(life)[0]["state"])
        assert bench.forks.last("look").beside == bench.forks.last("c").pid
        bench.forks.last("look").end(4)
        await life.until(lambda: "terminated" in ephemeral(life)[0]["state"])
        await join(life, {"name": "look", "targetContainerName": "c"}, {"name": "alone"})
        await life.until(lambda: len(ephemeral(life)) == 2 and "running" in ephemeral(life)[1]["state"])
        assert bench.forks.last("alone").beside is None
        assert bench.forks.names() == ["c", "look", "alone"]
        assert life.is_ready()
        await life.delete()
        await asyncio.wait_for(life.task, 20)
        assert bench.forks.last("alone").has_ended


async def test_a_target_that_does_not_run_is_waited_for(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod({"name": "c", "image": "none"})) as life:
        await life.until(lambda: life.reason() == "ErrImagePull")
        await join(life, {"name": "look", "targetContainerName": "c"})
        await life.until(lambda: ephemeral(life) and "waiting" in ephemeral(life)[0]["state"])
        message = 'unable to find target container "c"'
        await life.until(lambda: ephemeral(life)[0]["state"]["waiting"].get("message") == message)
        life.bench.images.known.add("none")
        await life.until(lambda: "running" in ephemeral(life)[0]["state"])


async def test_ephemeral_containers_end_with_the_pod_and_do_not_come_back(bench: fakes.Bench) -> None:
    bench.forks.scripts["look"] = lambda process: process.end(0)
    pod = fakes.pod()
    pod["spec"]["ephemeralContainers"] = [{"name": "look", "image": "app"}, {"name": "new", "image": "app"}]
    running = {"name": "look", "state": {"running": {}}, "restartCount": 0}
    pod["status"]["ephemeralContainerStatuses"] = [running]
    async with living(bench, pod) as life:
        await life.until(lambda: len(ephemeral(life)) == 2 and "running" in ephemeral(life)[1]["state"])
        assert ephemeral(life)[0]["state"]["terminated"]["reason"] == "ContainerStatusUnknown"
        assert ephemeral(life)[0]["restartCount"] == 0
        assert "look" not in bench.forks.names()
