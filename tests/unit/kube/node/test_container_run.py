"""One run of a container: hooks, probes, and how it is ended."""

from __future__ import annotations

import asyncio
import itertools
import signal
from pathlib import Path

import pytest
from tests.unit.kube.node import fakes
from tests.unit.kube.node.living import living


@pytest.fixture
def bench(tmp_path: Path) -> fakes.Bench:
    return fakes.Bench(tmp_path)


async def test_who_ignores_the_signal_is_killed_after_the_grace(bench: fakes.Bench) -> None:
    bench.forks.scripts["c"] = lambda process: process.ignored.add(signal.SIGTERM)
    async with living(bench, fakes.pod(terminationGracePeriodSeconds=0.05)) as life:
        await life.until(life.is_ready)
        await life.delete()
        await asyncio.wait_for(life.task, 20)
        assert bench.forks.last("c").signals == [signal.SIGTERM, signal.SIGKILL]


async def test_a_second_delete_can_shorten_the_grace(bench: fakes.Bench) -> None:
    bench.forks.scripts["c"] = lambda process: process.ignored.add(signal.SIGTERM)
    async with living(bench, fakes.pod(terminationGracePeriodSeconds=1000)) as life:
        await life.until(life.is_ready)
        await life.delete()
        await life.until(lambda: bench.forks.last("c").signals)
        assert not life.task.done()
        assert life.pod is not None
        life.pod["metadata"]["deletionGracePeriodSeconds"] = 0
        life.worker.update(life.pod)
        await asyncio.wait_for(life.task, 20)


async def test_the_pre_stop_hook_comes_before_the_signal(bench: fakes.Bench) -> None:
    order = []

    async def hook() -> tuple[int, str]:
        order.append(list(bench.forks.last("c").signals))
        return 0, ""

    bench.forks.commands["hook"] = hook
    container = {"name": "c", "lifecycle": {"preStop": {"exec": {"command": ["hook"]}}}}
    async with living(bench, fakes.pod(container)) as life:
        await life.until(life.is_ready)
        await life.delete()
        await asyncio.wait_for(life.task, 20)
    assert order == [[]]
    assert bench.forks.last("c").signals == [signal.SIGTERM]


async def test_a_hook_that_never_ends_uses_up_the_grace(bench: fakes.Bench) -> None:
    container = {"name": "c", "lifecycle": {"preStop": {"sleep": {"seconds": 1000}}}}
    async with living(bench, fakes.pod(container, terminationGracePeriodSeconds=0.05)) as life:
        await life.until(life.is_ready)
        await life.delete()
        await asyncio.wait_for(life.task, 20)
    assert bench.forks.last("c").signals == [signal.SIGKILL]


async def test_a_failed_post_start_hook_restarts_the_container(bench: fakes.Bench) -> None:
    results = itertools.chain([1], itertools.repeat(0))

    async def hook() -> tuple[int, str]:
        return next(results), "no luck"

    bench.forks.commands["hook"] = hook
    container = {"name": "c", "lifecycle": {"postStart": {"exec": {"command": ["hook"]}}}}
    async with living(bench, fakes.pod(container)) as life:
        await life.until(life.is_ready)
        assert life.container()["restartCount"] == 1
        assert ("FailedPostStartHook", "PostStartHook failed: no luck") in await bench.events()


async def test_readiness_follows_its_probe(bench: fakes.Bench) -> None:
    code = [1]

    async def probe() -> tuple[int, str]:
        return code[0], "sick"

    bench.forks.commands["probe"] = probe
    container = {
        "name": "c",
        "readinessProbe": {"exec": {"command": ["probe"]}, "periodSeconds": 0.01, "failureThreshold": 2},
    }
    async with living(bench, fakes.pod(container)) as life:
        await life.until(lambda: len(bench.forks.executed) > 4)
        assert life.container()["state"]["running"]
        assert not life.is_ready()
        code[0] = 0
        await life.until(life.is_ready)
        code[0] = 1
        await life.until(lambda: not life.is_ready())
        assert ("Unhealthy", "Readiness probe failed: sick") in await bench.events()
        assert life.container()["restartCount"] == 0


async def test_a_failed_liveness_probe_restarts(bench: fakes.Bench) -> None:
    async def probe() -> tuple[int, str]:
        return (1 if len(bench.forks.started) == 1 else 0), "dead"

    bench.forks.commands["probe"] = probe
    probing = {"exec": {"command": ["probe"]}, "periodSeconds": 0.01, "failureThreshold": 3}
    async with living(bench, fakes.pod({"name": "c", "livenessProbe": probing})) as life:
        await life.until(lambda: life.container()["restartCount"] == 1 and life.is_ready())
        assert bench.forks.started[0].signals == [signal.SIGTERM]
        assert ("Killing", "Container c failed liveness probe, will be restarted") in await bench.events()
        assert len(bench.forks.executed) >= 3


async def test_the_grace_of_a_probe_wins_over_the_pods(bench: fakes.Bench) -> None:
    async def probe() -> tuple[int, str]:
        return 1, ""

    bench.forks.commands["probe"] = probe
    bench.forks.scripts["c"] = lambda process: process.ignored.add(signal.SIGTERM)
    probing = {"exec": {"command": ["probe"]}, "periodSeconds": 0.01, "failureThreshold": 1}
    container = {"name": "c", "startupProbe": {**probing, "terminationGracePeriodSeconds": 0.01}}
    async with living(bench, fakes.pod(container, terminationGracePeriodSeconds=1000)) as life:
        await life.until(lambda: life.container()["restartCount"] == 1)
        assert bench.forks.started[0].signals == [signal.SIGTERM, signal.SIGKILL]
