"""The life of a pod with a fake fork server: states, order, back-off and endings as a kubelet would have them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.base.kubernetes import CONFIG_MAPS, PODS, JsonObject
from bookmesh.kube.node.addresses import PodAddresses
from bookmesh.kube.node.pod_worker import PodWorker


class Life:
    """One worker on a bench; `pod` is what the API has."""

    def __init__(self, bench: fakes.Bench, worker: PodWorker, task: asyncio.Task[None]) -> None:
        self.bench = bench
        self.worker = worker
        self.task = task

    @property
    def pod(self) -> JsonObject | None:
        return self.bench.client.find(PODS, "web")

    @property
    def status(self) -> JsonObject:
        assert self.pod is not None
        status: JsonObject = self.pod["status"]
        return status

    def container(self, name: str = "c") -> JsonObject:
        for item in [
            *self.status.get("initContainerStatuses", []),
            *self.status.get("containerStatuses", []),
        ]:
            if item["name"] == name:
                return dict(item)
        return {"state": {}, "restartCount": 0, "ready": False, "lastState": {}}

    def reason(self, name: str = "c") -> str:
        state = self.container(name)["state"]
        return str(state.get("waiting", state.get("terminated", {})).get("reason", ""))

    def is_ready(self) -> bool:
        return any(c["type"] == "Ready" and c["status"] == "True" for c in self.status.get("conditions", []))

    async def until(self, condition: Callable[[], Any]) -> None:
        await fakes.until(condition)

    async def delete(self, grace_s: int | None = None) -> None:
        await self.bench.client.delete(PODS, "web", "default", grace_s=grace_s)
        if self.pod is not None:
            self.worker.update(self.pod)


@pytest.fixture
def bench(tmp_path: Path) -> fakes.Bench:
    return fakes.Bench(tmp_path)


@contextlib.asynccontextmanager
async def living(bench: fakes.Bench, pod: JsonObject) -> AsyncIterator[Life]:
    created = await bench.client.create(PODS, pod)
    worker = PodWorker(bench.machinery, created, addresses=PodAddresses())
    task = asyncio.create_task(worker.run())
    try:
        yield Life(bench, worker, task)
    finally:
        worker.stop(0)
        await asyncio.wait_for(task, 5)
        assert bench.network.attached == []


def ends(*codes: int) -> fakes.Script:
    """A container whose first runs end with these codes; the next one stays."""
    runs = iter(codes)

    def script(process: fakes.FakeProcess) -> None:
        process.print("hello\n")
        if (code := next(runs, None)) is not None:
            process.end(code)

    return script


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
        await asyncio.wait_for(life.task, 5)
        assert process.signals == [signal.SIGTERM]
        assert life.pod is None
        assert ("Killing", "Stopping container c") in await bench.events()
        assert list((bench.settings.directory / "pods").iterdir()) == []
        assert list((bench.settings.directory / "volumes").glob("*")) == []


async def test_who_ignores_the_signal_is_killed_after_the_grace(bench: fakes.Bench) -> None:
    bench.forks.scripts["c"] = lambda process: process.ignored.add(signal.SIGTERM)
    async with living(bench, fakes.pod(terminationGracePeriodSeconds=0.05)) as life:
        await life.until(life.is_ready)
        await life.delete()
        await asyncio.wait_for(life.task, 5)
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
        await asyncio.wait_for(life.task, 5)


async def test_a_pod_removed_by_force_ends_quickly(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod()) as life:
        await life.until(life.is_ready)
        await life.delete(grace_s=0)
        life.worker.vanish()
        await asyncio.wait_for(life.task, 5)
        assert bench.forks.last("c").has_ended


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
        await asyncio.wait_for(life.task, 5)
    assert order == [[]]
    assert bench.forks.last("c").signals == [signal.SIGTERM]


async def test_a_hook_that_never_ends_uses_up_the_grace(bench: fakes.Bench) -> None:
    container = {"name": "c", "lifecycle": {"preStop": {"sleep": {"seconds": 1000}}}}
    async with living(bench, fakes.pod(container, terminationGracePeriodSeconds=0.05)) as life:
        await life.until(life.is_ready)
        await life.delete()
        await asyncio.wait_for(life.task, 5)
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
        assert sorted(path.name for path in directory.iterdir()) == ["1.log", "2.log", "3.log"]


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
        await asyncio.wait_for(life.task, 5)
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
        async def run(self, spec: Any, **fds: int) -> fakes.FakeProcess:
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
        await asyncio.wait_for(life.task, 5)
    assert (sorted(order[:2]), order[2:]) == (["c", "d"], ["two", "one"])


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


async def test_a_grpc_probe_passes_and_the_pod_is_told(bench: fakes.Bench) -> None:
    container = {"name": "c", "readinessProbe": {"grpc": {"port": 9000}}}
    async with living(bench, fakes.pod(container)) as life:
        await life.until(life.is_ready)
        reasons = [message for reason, message in await bench.events() if reason == "NotHonoured"]
        assert reasons == [
            "BM0302 spec.containers{c}.readinessProbe.grpc: the probe is not run and counts as passing"
        ]


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


async def test_a_missing_volume_source_holds_the_pod_back(bench: fakes.Bench) -> None:
    pod = fakes.pod(volumes=[{"name": "v", "configMap": {"name": "settings"}}])
    async with living(bench, pod) as life:
        await life.until(lambda: life.worker.context.record.sandbox_ready)
        await asyncio.sleep(0.03)
        assert life.reason() == "ContainerCreating"
        message = 'MountVolume.SetUp failed for volume "v" : configmap "settings" not found'
        assert ("FailedMount", message) in await bench.events()
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
        (mount,) = bench.forks.last("c").spec.mounts
        assert (Path(mount.source) / "address").read_text() == "10.244.0.2"
    assert bench.driver.published == {}


async def test_a_command_that_cannot_be_started_is_a_start_error(bench: fakes.Bench) -> None:
    bench.forks.refusals["c"] = 'exec: "app": executable file not found in $PATH'
    async with living(bench, fakes.pod(restartPolicy="Never")) as life:
        await life.until(lambda: life.status["phase"] == "Failed")
        terminated = life.container()["state"]["terminated"]
        assert (terminated["reason"], terminated["exitCode"]) == ("StartError", 128)
        assert terminated["message"] == 'exec: "app": executable file not found in $PATH'


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
        await asyncio.wait_for(life.task, 5)
        assert life.pod is None


async def test_stopping_the_node_leaves_the_object(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod()) as life:
        await life.until(life.is_ready)
        life.worker.stop(1)
        await asyncio.wait_for(life.task, 5)
        assert life.pod is not None
        assert bench.forks.last("c").has_ended


async def test_a_pod_can_be_deleted_while_it_waits(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod({"name": "c", "image": "other"})) as life:
        await life.until(lambda: life.reason() == "ErrImagePull")
        await life.delete()
        await asyncio.wait_for(life.task, 5)
        assert life.pod is None


async def test_two_pods_of_one_name_are_not_confused(bench: fakes.Bench) -> None:
    async with living(bench, fakes.pod()) as life:
        await life.until(life.is_ready)
        await bench.client.delete(PODS, "web", "default", grace_s=0)
        other = fakes.pod()
        other["metadata"]["uid"] = "another"
        await bench.client.create(PODS, other)
        life.worker.vanish()
        await asyncio.wait_for(life.task, 5)
        assert life.status == {"phase": "Pending"}
