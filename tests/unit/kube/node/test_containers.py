"""A container over its runs: what holds it back, restarts and their back-off."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.node import fakes
from tests.unit.kube.node.living import ends, living

from bookmesh.base.kubernetes import CONFIG_MAPS


@pytest.fixture
def bench(tmp_path: Path) -> fakes.Bench:
    return fakes.Bench(tmp_path)


async def test_the_first_restart_is_at_once_and_then_it_backs_off(bench: fakes.Bench) -> None:
    bench.forks.scripts["c"] = ends(1, 2, 3)
    async with living(bench, fakes.pod()) as life:
        await life.until(lambda: life.reason() == "CrashLoopBackOff")
        assert life.container()["restartCount"] == 1
        assert life.container()["lastState"]["terminated"]["exitCode"] == 2
        assert life.status["phase"] == "Running"
        assert (
            "restarting failed container=c pod=web_default(uid-of-web)"
            in life.container()["state"]["waiting"]["message"]
        )
        await life.until(lambda: life.container()["restartCount"] == 3)
        assert len(bench.forks.started) == 4
        assert "BackOff" in dict(await bench.events())


async def test_logs_of_the_last_two_runs_are_kept(bench: fakes.Bench) -> None:
    bench.forks.scripts["c"] = ends(1, 1, 1)
    async with living(bench, fakes.pod()) as life:
        await life.until(lambda: life.container()["restartCount"] == 3)
        directory = life.worker.context.log_path("c", 0).parent
        assert sorted(path.name for path in directory.glob("*.log")) == ["1.log", "2.log", "3.log"]


async def test_an_unknown_image_is_pulled_again_until_it_is_there(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod({"name": "bad", "image": "other"}, {"name": "c"})) as life:
        await life.until(lambda: life.reason("bad") == "ErrImagePull")
        assert life.container("bad")["state"]["waiting"]["message"] == "no image other"
        await life.until(lambda: life.reason("bad") == "ImagePullBackOff")
        assert (
            life.container("bad")["state"]["waiting"]["message"]
            == 'Back-off pulling image "other": ErrImagePull: no image other'
        )
        assert bench.forks.names() == ["c"]
        bench.images.known.add("other")
        await life.until(life.is_ready)
        events = await bench.events()
        assert ("Failed", 'Failed to pull image "other": no image other') in events
        assert ("Failed", "Error: ImagePullBackOff") in events


async def test_a_missing_config_map_is_waited_for(bench: fakes.Bench) -> None:
    variable = {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}
    async with living(bench, fakes.pod({"name": "c", "env": [variable]})) as life:
        await life.until(lambda: life.reason() == "CreateContainerConfigError")
        assert life.container()["state"]["waiting"]["message"] == 'configmap "settings" not found'
        metadata = {"name": "settings", "namespace": "default"}
        await bench.client.create(CONFIG_MAPS, {"metadata": metadata, "data": {"a": "1"}})
        life.worker.context.note_sources_change()
        await life.until(life.is_ready)
        assert bench.forks.last("c").spec.env["A"] == "1"


async def test_a_command_that_cannot_be_started_is_a_start_error(bench: fakes.Bench) -> None:
    bench.forks.refusals["c"] = 'exec: "app": executable file not found in $PATH'
    async with living(bench, fakes.pod(restartPolicy="Never")) as life:
        await life.until(lambda: life.status["phase"] == "Failed")
        terminated = life.container()["state"]["terminated"]
        assert (terminated["reason"], terminated["exitCode"]) == ("StartError", 128)
        assert terminated["message"] == 'exec: "app": executable file not found in $PATH'
