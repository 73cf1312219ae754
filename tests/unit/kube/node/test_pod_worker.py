"""The life of a pod with a fake fork server: order, states and endings as a kubelet would have them."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.kube.node import fakes
from tests.unit.kube.node.living import ends, living

from bookmesh.base.kubernetes import CONFIG_MAPS, PODS


@pytest.fixture
def bench(tmp_path: Path) -> fakes.Bench:
    return fakes.Bench(tmp_path)


async def test_a_pod_becomes_ready(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod({"name": "c"}, {"name": "d"})) as life:
        await life.until(life.is_ready)
        assert life.status["phase"] == "Running"
        assert life.status["podIP"] == "10.244.0.2"
        assert bench.network.attached == ["10.244.0.2"]
        assert bench.forks.names() == ["c", "d"]
        assert life.container()["containerID"].startswith("bookmesh://")
        spec = bench.forks.last("c").spec
        assert spec.env["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
        assert spec.env["FROM_IMAGE"] == "yes"
        assert spec.files["/etc/hostname"] == "web\n"
        assert [reason for reason, _ in await bench.events()].count("Started") == 2


async def test_statuses_are_written_only_when_they_change(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod()) as life:
        await life.until(life.is_ready)
        written = len(bench.client.writes)
        for _ in range(5):
            life.worker.update(life.pod or {})
            await asyncio.sleep(0.002)
        assert len(bench.client.writes) == written
        assert written == 3, "the pod has started, it has a network, it is ready"


async def test_deleting_ends_containers_and_then_the_object(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod()) as life:
        await life.until(life.is_ready)
        process = bench.forks.last("c")
        await life.delete()
        await asyncio.wait_for(life.task, 20)
        assert process.signals == [signal.SIGTERM]
        assert life.pod is None
        assert ("Killing", "Stopping container c") in await bench.events()
        assert list((bench.settings.directory / "pods").iterdir()) == []
        assert list((bench.settings.directory / "volumes").glob("*")) == []


async def test_a_pod_removed_by_force_ends_quickly(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod()) as life:
        await life.until(life.is_ready)
        await life.delete(grace_s=0)
        life.worker.vanish()
        await asyncio.wait_for(life.task, 20)
        assert bench.forks.last("c").has_ended


@pytest.mark.parametrize(
    ("policy", "codes", "phase", "runs"),
    [
        ("Never", (0,), "Succeeded", 1),
        ("Never", (4,), "Failed", 1),
        ("OnFailure", (0,), "Succeeded", 1),
        ("OnFailure", (4, 0), "Succeeded", 2),
    ],
)
async def test_pods_that_end_by_themselves(
    bench: fakes.Bench, policy: str, codes: tuple[int, ...], phase: str, runs: int
) -> None:
    bench.forks.scripts["c"] = ends(*codes)
    async with living(bench, fakes.pod(restartPolicy=policy)) as life:
        await life.until(lambda: life.status["phase"] == phase)
        await life.until(lambda: bench.network.attached == [])
        assert len(bench.forks.started) == runs
        assert not life.task.done()
        await life.delete()
        await asyncio.wait_for(life.task, 20)
        assert life.pod is None


async def test_a_sidecar_ends_after_the_containers_of_a_job(bench: fakes.Bench) -> None:
    bench.forks.scripts["c"] = ends(0)
    pod = fakes.pod(restartPolicy="Never", initContainers=[{"name": "side", "restartPolicy": "Always"}])
    async with living(bench, pod) as life:
        await life.until(lambda: life.status["phase"] == "Succeeded")
        assert bench.forks.names() == ["side", "c"]
        assert bench.forks.last("side").signals == [signal.SIGTERM]


async def test_sidecars_end_last_and_in_reverse(bench: fakes.Bench) -> None:
    order: list[str] = []

    class Noting(fakes.FakeForks):
        async def run(self, spec: Any, **fds: Any) -> fakes.FakeProcess:
            process = await super().run(spec, **fds)
            signalled = process.signal

            def note(number: int) -> None:
                if not process.has_ended:
                    order.append(spec.name.rpartition("/")[2])
                signalled(number)

            process.signal = note  # type: ignore[method-assign]
            return process

    forks = bench.forks = Noting()
    object.__setattr__(bench.machinery, "forks", forks)
    sidecars = [{"name": name, "restartPolicy": "Always"} for name in ("one", "two")]
    async with living(bench, fakes.pod({"name": "c"}, {"name": "d"}, initContainers=sidecars)) as life:
        await life.until(life.is_ready)
        await life.delete()
        await asyncio.wait_for(life.task, 20)
    assert (sorted(order[:2]), order[2:]) == (["c", "d"], ["two", "one"])


async def test_companions_start_first_and_end_last_though_they_are_ordinary_containers(
    bench: fakes.Bench,
) -> None:
    bench.forks.scripts["init"] = ends(0)
    bench.forks.scripts["c"] = ends(0)
    pod = fakes.pod({"name": "c"}, {"name": "side"}, restartPolicy="Never", initContainers=[{"name": "init"}])
    pod["metadata"]["annotations"] = {"node.bookmesh.dev/companions": "side"}
    async with living(bench, pod) as life:
        await life.until(lambda: life.status["phase"] == "Succeeded")
        assert bench.forks.names() == ["side", "init", "c"]
        assert bench.forks.last("side").signals == [signal.SIGTERM]
        assert [item["name"] for item in life.status["containerStatuses"]] == ["c", "side"]


async def test_init_containers_run_one_after_the_other(bench: fakes.Bench) -> None:
    bench.forks.scripts["one"] = ends(1, 0)
    pod = fakes.pod(initContainers=[{"name": "one"}, {"name": "two"}])
    async with living(bench, pod) as life:
        await life.until(lambda: "two" in bench.forks.names())
        assert bench.forks.names() == ["one", "one", "two"]
        assert life.status["phase"] == "Pending"
        assert life.reason("c") == "PodInitializing"
        bench.forks.last("two").end(0)
        await life.until(life.is_ready)
        assert life.container("one")["restartCount"] == 1
        assert life.container("two")["ready"]


async def test_a_failed_init_container_fails_a_pod_that_never_restarts(bench: fakes.Bench) -> None:
    bench.forks.scripts["one"] = ends(7)
    pod = fakes.pod(restartPolicy="Never", initContainers=[{"name": "one"}])
    async with living(bench, pod) as life:
        await life.until(lambda: life.status["phase"] == "Failed")
        assert bench.forks.names() == ["one"]


async def test_a_sidecar_must_have_started_before_the_next(bench: fakes.Bench) -> None:
    passes = asyncio.Event()

    async def probe() -> tuple[int, str]:
        return (0 if passes.is_set() else 1), ""

    bench.forks.commands["probe"] = probe
    sidecar = {
        "name": "side",
        "restartPolicy": "Always",
        "startupProbe": {"exec": {"command": ["probe"]}, "periodSeconds": 0.01, "failureThreshold": 1000},
    }
    async with living(bench, fakes.pod(initContainers=[sidecar])) as life:
        await life.until(lambda: len(bench.forks.executed) > 3)
        assert bench.forks.names() == ["side"]
        passes.set()
        await life.until(life.is_ready)
        assert bench.forks.names() == ["side", "c"]


async def test_a_missing_volume_source_holds_the_pod_back(bench: fakes.Bench) -> None:
    pod = fakes.pod(volumes=[{"name": "v", "configMap": {"name": "settings"}}])
    async with living(bench, pod) as life:
        message = 'MountVolume.SetUp failed for volume "v" : configmap "settings" not found'
        async with asyncio.timeout(20):
            while ("FailedMount", message) not in await bench.events():
                await asyncio.sleep(0.001)
        assert life.worker.context.record.sandbox_ready
        assert life.reason() == "ContainerCreating"
        metadata = {"name": "settings", "namespace": "default"}
        await bench.client.create(CONFIG_MAPS, {"metadata": metadata, "data": {}})
        life.worker.context.note_sources_change()
        await life.until(life.is_ready)


async def test_a_volume_follows_its_config_map_and_its_pods_labels(bench: fakes.Bench) -> None:
    metadata = {"name": "settings", "namespace": "default"}
    await bench.client.create(CONFIG_MAPS, {"metadata": metadata, "data": {"a": "1"}})
    volumes = [
        {"name": "v", "configMap": {"name": "settings"}},
        {
            "name": "w",
            "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]},
        },
    ]
    async with living(bench, fakes.pod(volumes=volumes)) as life:
        await life.until(life.is_ready)
        directory = bench.settings.volume_directory("uid-of-web")
        assert (directory / "v" / "a").read_text() == "1"
        await bench.client.patch(CONFIG_MAPS, "settings", "default", {"data": {"a": "2"}})
        assert life.worker.refers_to("ConfigMap", "settings")
        assert not life.worker.refers_to("Secret", "settings")
        life.worker.context.note_sources_change()
        await life.until(lambda: (directory / "v" / "a").read_text() == "2")
        life.worker.update(
            await bench.client.patch(PODS, "web", "default", {"metadata": {"labels": {"x": "y"}}})
        )
        await life.until(lambda: (directory / "w" / "l").read_text() == 'x="y"')


async def test_the_network_is_tried_again(bench: fakes.Bench) -> None:
    bench.network.failures = [OSError("no more interfaces")]
    async with living(bench, fakes.pod()) as life:
        await life.until(life.is_ready)
        message = "Failed to create pod sandbox: no more interfaces"
        assert ("FailedCreatePodSandBox", message) in await bench.events()


async def test_a_driver_sees_the_pods_address(bench: fakes.Bench) -> None:
    pod = fakes.pod(
        {"name": "c", "volumeMounts": [{"name": "p", "mountPath": "/etc/p"}]},
        volumes=[{"name": "p", "csi": {"driver": "fake.example.com"}}],
    )
    async with living(bench, pod) as life:
        await life.until(life.is_ready)
        (mount, _) = bench.forks.last("c").spec.mounts
        assert (Path(mount.source) / "address").read_text() == "10.244.0.2"
    assert bench.driver.published == {}


async def test_a_pod_that_ran_before_starts_afresh(bench: fakes.Bench) -> None:
    pod = fakes.pod()
    running = {"running": {"startedAt": "2026-05-09T12:00:00Z"}}
    pod["status"] = {
        "phase": "Running",
        "startTime": "2026-05-09T11:59:00Z",
        "containerStatuses": [{"name": "c", "restartCount": 0, "state": running}],
    }
    async with living(bench, pod) as life:
        await life.until(lambda: life.container()["restartCount"] == 1 and life.is_ready())
        assert life.status["startTime"] == "2026-05-09T11:59:00Z"
        assert life.container()["lastState"]["terminated"]["reason"] == "ContainerStatusUnknown"
        bench.forks.last("c").end(1)
        await life.until(lambda: life.container()["restartCount"] == 2)


async def test_a_pod_that_may_run_once_fails_when_its_run_was_lost(bench: fakes.Bench) -> None:
    pod = fakes.pod(restartPolicy="Never")
    running = {"running": {"startedAt": "2026-05-09T12:00:00Z"}}
    pod["status"] = {
        "phase": "Running",
        "containerStatuses": [{"name": "c", "restartCount": 0, "state": running}],
    }
    async with living(bench, pod) as life:
        await life.until(lambda: life.status["phase"] == "Failed")
        assert bench.forks.started == []
        assert life.container()["restartCount"] == 0
        assert life.reason() == "ContainerStatusUnknown"


async def test_a_pod_that_has_ended_waits_for_its_deletion(bench: fakes.Bench) -> None:
    pod = fakes.pod()
    pod["status"] = {"phase": "Succeeded"}
    async with living(bench, pod) as life:
        await asyncio.sleep(0.01)
        assert bench.forks.started == []
        assert life.status == {"phase": "Succeeded"}
        await life.delete()
        await asyncio.wait_for(life.task, 20)
        assert life.pod is None


async def test_stopping_the_node_leaves_the_object(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod()) as life:
        await life.until(life.is_ready)
        life.worker.stop(1)
        await asyncio.wait_for(life.task, 20)
        assert life.pod is not None
        assert bench.forks.last("c").has_ended


async def test_a_pod_can_be_deleted_while_it_waits(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod({"name": "c", "image": "other"})) as life:
        await life.until(lambda: life.reason() == "ErrImagePull")
        await life.delete()
        await asyncio.wait_for(life.task, 20)
        assert life.pod is None


async def test_two_pods_of_one_name_are_not_confused(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod()) as life:
        await life.until(life.is_ready)
        await bench.client.delete(PODS, "web", "default", grace_s=0)
        other = fakes.pod()
        other["metadata"]["uid"] = "another"
        await bench.client.create(PODS, other)
        life.worker.vanish()
        await asyncio.wait_for(life.task, 20)
        assert life.status == {"phase": "Pending"}
