"""How a container comes to its image: words, waits, and what keeps the image's files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.kube.node import fakes
from tests.unit.kube.node.living import living

from bookmesh.kube.node import users
from bookmesh.kube.node.back_off import BackOffLimits
from bookmesh.kube.node.images import Image


@pytest.fixture
def bench(tmp_path: Path) -> fakes.Bench:
    return fakes.Bench(tmp_path)


async def test_a_policy_of_never_has_a_state_of_its_own(bench: fakes.Bench) -> None:
    pod = fakes.pod({"name": "c", "image": "other", "imagePullPolicy": "Never"})
    async with living(bench, pod) as life:
        await life.until(lambda: life.reason() == "ErrImageNeverPull")
        message = 'Container image "other" is not present with pull policy of Never'
        assert life.container()["state"]["waiting"]["message"] == message
        bench.images.known.add("other")
        await life.until(life.is_ready)
        events = await bench.events()
        assert ("ErrImageNeverPull", message) in events
        assert ("Failed", "Error: ErrImageNeverPull") in events
        assert not [message for reason, message in events if reason == "Pulling"]


@pytest.mark.parametrize("policy", ["Always", "IfNotPresent", "Never"])
async def test_an_image_that_is_there_is_used_whatever_the_policy(bench: fakes.Bench, policy: str) -> None:
    async with living(bench, fakes.pod({"name": "c", "imagePullPolicy": policy})) as life:
        await life.until(life.is_ready)
        assert ("Pulled", 'Container image "app" already present on machine') in await bench.events()


async def test_who_waits_long_is_woken_when_other_images_come(tmp_path: Path) -> None:
    bench = fakes.Bench(tmp_path, image_back_off=BackOffLimits(initial_s=300.0))
    async with living(bench, fakes.pod({"name": "c", "image": "other"})) as life:
        await life.until(lambda: life.reason() == "ErrImagePull")
        bench.images.known.add("other")
        await life.until(life.is_ready)


async def test_an_image_is_kept_while_its_container_runs(bench: fakes.Bench) -> None:
    bench.images.loaded["app"] = Image(
        "app", ("/bin/app",), layers=("/layers/1",), image_id="app@sha256:1", stop_signal=3
    )
    async with living(bench, fakes.pod()) as life:
        await life.until(life.is_ready)
        assert bench.images.held == ["app"]
        assert life.container()["imageID"] == "app@sha256:1"
        bench.forks.last("c").end(0)
        await life.until(lambda: life.container()["restartCount"] == 1)
        assert bench.images.held == ["app"]
        life.worker.stop(5.0)
        await life.until(lambda: bench.images.held == [])
        assert bench.forks.last("c").signals[:1] == [3], "as the image says it wants to be stopped"


@pytest.mark.parametrize("is_loaded", [False, True])
async def test_a_read_only_root_is_warned_of_where_a_stand_in_has_none(
    bench: fakes.Bench, is_loaded: bool
) -> None:
    if is_loaded:
        bench.images.loaded["app"] = Image("app", ("/bin/app",), layers=("/layers/1",))
    pod = fakes.pod({"name": "c", "securityContext": {"readOnlyRootFilesystem": True}})
    async with living(bench, pod) as life:
        await life.until(life.is_ready)
        assert ("NotHonoured" in dict(await bench.events())) is not is_loaded


async def test_an_image_without_its_user_makes_no_container(tmp_path: Path) -> None:
    bench = fakes.Bench(tmp_path, can_change_user=os.geteuid() == 0)
    bench.images.loaded["app"] = Image("app", ("/bin/app",), user="nobody2", accounts=users.Accounts())
    async with living(bench, fakes.pod()) as life:
        await life.until(lambda: life.reason() == "CreateContainerError")
        message = life.container()["state"]["waiting"]["message"]
        assert message.startswith("failed to create containerd container: no users found")
        assert ("Failed", f"Error: {message}") in await bench.events()
        bench.images.loaded["app"] = Image("app", ("/bin/app",), user="7", accounts=users.Accounts())
        await life.until(life.is_ready)


async def test_an_image_that_may_not_run_is_let_go_until_another_try(bench: fakes.Bench) -> None:
    pod = fakes.pod({"name": "c", "securityContext": {"runAsNonRoot": True}})
    async with living(bench, pod) as life:
        await life.until(lambda: life.reason() == "CreateContainerConfigError")
        await life.until(lambda: bench.images.held == [])
        bench.images.loaded["app"] = Image("app", ("/bin/app",), user="7")
        await life.until(life.is_ready)
