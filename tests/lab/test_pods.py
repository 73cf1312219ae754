"""Pods on the real kernel: what runs in them, what they see, how they start, restart and end."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.lab.node_labs import Lab, container_status, in_child, in_lab, is_ready, running, with_forks

from bookmesh.base.kubernetes import CONFIG_MAPS, PODS, ApiError, JsonObject
from bookmesh.base.pods import ExecOptions, LogOptions
from bookmesh.kube.sandbox import forking, nft, nft_transactions, specification
from bookmesh.kube.sandbox.namespaces import NetworkNamespace
from bookmesh.kube.store import store as stores

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("host")]
SERVER = """
import http.server, pathlib
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if pathlib.Path("/tmp/healthy").exists() else 503)
        self.end_headers()
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""


@in_lab
async def test_two_containers_share_an_empty_dir_and_an_address(lab: Lab) -> None:
    mounts = [{"name": "shared", "mountPath": "/shared"}]
    await lab.create_pod(
        "two",
        {"name": "c", "args": ["echo from-c > /shared/file; sleep 1000"], "volumeMounts": mounts},
        {"name": "d", "args": ["sleep 1000"], "volumeMounts": mounts},
        volumes=[{"name": "shared", "emptyDir": {}}],
    )
    pod = await lab.until("two", is_ready)
    assert pod["status"]["podIP"] == "10.244.0.2"
    read = "until test -s /shared/file; do sleep 0.02; done; cat /shared/file"
    assert await lab.run("two", "sh", "-c", read, container="d") == (0, "from-c\n")
    for container in ("c", "d"):
        code, output = await lab.run("two", "hostname", "-I", container=container)
        assert (code, output.split()) == (0, ["10.244.0.2"])


@in_lab
async def test_an_empty_dir_in_memory_is_a_tmpfs(lab: Lab) -> None:
    await lab.create_pod(
        "memory",
        {"name": "c", "args": ["sleep 1000"], "volumeMounts": [{"name": "m", "mountPath": "/m"}]},
        volumes=[{"name": "m", "emptyDir": {"medium": "Memory", "sizeLimit": "4Mi"}}],
    )
    await lab.until("memory", is_ready)
    assert await lab.run("memory", "stat", "-f", "-c", "%T", "/m") == (0, "tmpfs\n")


@in_lab
async def test_a_config_map_is_a_volume_and_environment_and_the_volume_follows_it(lab: Lab) -> None:
    await lab.client.create(
        CONFIG_MAPS,
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": "default"},
            "data": {"color": "red"},
        },
    )
    await lab.create_pod(
        "configured",
        {
            "name": "c",
            "args": ["sleep 1000"],
            "env": [
                {"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "color"}}},
                {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            ],
            "volumeMounts": [{"name": "settings", "mountPath": "/etc/settings"}],
        },
        volumes=[{"name": "settings", "configMap": {"name": "settings"}}],
    )
    pod = await lab.until("configured", is_ready)
    assert await lab.run("configured", "sh", "-c", "echo $COLOR $IP; cat /etc/settings/color") == (
        0,
        f"red {pod['status']['podIP']}\nred",
    )
    await lab.client.patch(CONFIG_MAPS, "settings", "default", {"data": {"color": "blue"}})
    wait = "until grep -q blue /etc/settings/color; do sleep 0.02; done; echo $COLOR"
    assert await lab.run("configured", "sh", "-c", wait) == (0, "red\n")
    code, output = await lab.run("configured", "sh", "-c", "echo x > /etc/settings/color")
    assert code != 0
    assert "Read-only file system" in output


@in_lab
async def test_a_pod_waits_for_its_config_map(lab: Lab) -> None:
    await lab.create_pod(
        "waiting",
        {"name": "c", "args": ["sleep 1000"], "envFrom": [{"configMapRef": {"name": "late"}}]},
    )
    pod = await lab.until(
        "waiting", lambda pod: container_status(pod)["state"].get("waiting", {}).get("message")
    )
    assert container_status(pod)["state"]["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": 'configmap "late" not found',
    }
    metadata = {"name": "late", "namespace": "default"}
    await lab.client.create(
        CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"A": "1"}}
    )
    await lab.until("waiting", is_ready)
    assert await lab.run("waiting", "printenv", "A") == (0, "1\n")


@in_lab
async def test_exec_tells_exit_codes_streams_and_terminals(lab: Lab) -> None:
    await lab.create_pod("exec", {"name": "c", "args": ["sleep 1000"]})
    pod = await lab.until("exec", is_ready)
    assert await lab.run("exec", "sh", "-c", "exit 7") == (7, "")
    assert (await lab.run("exec", "sh", "-c", "kill -9 $$"))[0] == 137

    session = await lab.node.execute(pod, ExecOptions("c", ("sh", "-c", "cat; echo problem >&2"), stdin=True))
    await session.write(b"x" * 300_000)
    await session.write_eof()
    received = {1: b"", 2: b""}
    async for number, data in session.output():
        received[number] += data
    assert (len(received[1]), received[2]) == (300_000, b"problem\n")
    assert await session.wait() == 0
    await session.close()

    session = await lab.node.execute(
        pod, ExecOptions("c", ("sh", "-c", "read x; stty size"), stdin=True, tty=True)
    )
    session.resize(101, 41)
    await session.write(b"go\n")
    output = b"".join([data async for _, data in session.output()])
    assert b"41 101" in output
    await session.close()

    with pytest.raises(ApiError, match="executable file not found"):
        await lab.run("exec", "no-such-program")


@in_lab
async def test_closing_an_exec_session_ends_its_command(lab: Lab) -> None:
    await lab.create_pod("close", {"name": "c", "args": ["sleep 1000"]})
    pod = await lab.until("close", is_ready)
    session = await lab.node.execute(pod, ExecOptions("c", ("sleep", "4321")))
    await session.close()
    assert await session.wait() == 137
    assert (await lab.run("close", "sh", "-c", "grep -l 4321 /proc/[0-9]*/cmdline"))[1].count("/proc") <= 2


@in_lab
async def test_a_followed_log_brings_lines_as_they_are_written(lab: Lab) -> None:
    script = "echo one; while ! test -e /tmp/go; do sleep 0.02; done; echo two; exit 0"
    await lab.create_pod("logs", {"name": "c", "args": [script]}, restartPolicy="Never")
    pod = await lab.until("logs", is_ready)
    chunks = lab.node.logs(pod, LogOptions("c", follow=True))
    assert await anext(chunks) == b"one\n"
    await lab.run("logs", "touch", "/tmp/go")
    assert b"".join([chunk async for chunk in chunks]) == b"two\n"
    pod = await lab.until("logs", lambda pod: pod["status"]["phase"] == "Succeeded")
    assert container_status(pod)["state"]["terminated"]["reason"] == "Completed"
    assert await lab.log("logs", tail_lines=1) == "two\n"


@in_lab
async def test_a_crashing_container_restarts_at_once_and_then_backs_off(lab: Lab) -> None:
    await lab.create_pod("crash", {"name": "c", "args": ["echo run; exit 5"]})
    pod = await lab.until(
        "crash",
        lambda pod: container_status(pod)["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff",
    )
    status = container_status(pod)
    restarts = status["restartCount"]  # 1, unless the first back-off was over before anybody looked
    assert restarts >= 1
    assert status["lastState"]["terminated"]["exitCode"] == 5
    back_off = "back-off 0.4s" if restarts == 1 else "back-off 0.8s"
    assert f"{back_off} restarting failed container=c" in status["state"]["waiting"]["message"]
    assert pod["status"]["phase"] == "Running"
    assert await lab.log("crash") == "run\n"
    await lab.until("crash", lambda pod: container_status(pod)["restartCount"] > restarts)
    assert await lab.log("crash", previous=True) == "run\n"
    assert "BackOff" in await lab.reasons()


@in_lab
async def test_termination_runs_the_hook_then_asks_then_kills(lab: Lab) -> None:
    mounts = [{"name": "notes", "mountPath": "/notes"}]
    await lab.create_pod(
        "polite",
        {
            "name": "c",
            "args": [
                "trap 'cat /notes/hook; echo bye; exit 0' TERM; touch /notes/up; while :; do sleep 0.05; done"
            ],
            "volumeMounts": mounts,
            "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "echo hook > /notes/hook"]}}},
            "startupProbe": {"exec": {"command": ["test", "-e", "/notes/up"]}, "periodSeconds": 1},
        },
        volumes=[{"name": "notes", "emptyDir": {}}],
    )
    pod = await lab.until("polite", is_ready)
    log = lab.node.logs(pod, LogOptions("c", follow=True))
    await lab.client.delete(PODS, "polite", "default")
    assert b"".join([chunk async for chunk in log]) == b"hook\nbye\n"
    await lab.gone("polite")

    await lab.create_pod("stubborn", {"name": "c", "args": ["trap '' TERM; while :; do sleep 0.05; done"]})
    await lab.until("stubborn", is_ready)
    began = time.monotonic()
    await lab.client.delete(PODS, "stubborn", "default", grace_s=1)
    await lab.gone("stubborn")
    assert 0.9 < time.monotonic() - began < 20, "not the 30 s of its own"


@in_lab
async def test_init_containers_run_in_order_and_sidecars_go_on(lab: Lab) -> None:
    mounts = [{"name": "order", "mountPath": "/order"}]
    await lab.create_pod(
        "initial",
        {
            "name": "c",
            "args": ["echo app >> /order/file; cat /order/file; sleep 1000"],
            "volumeMounts": mounts,
        },
        initContainers=[
            {"name": "first", "args": ["sleep 0.2; echo first >> /order/file"], "volumeMounts": mounts},
            {
                "name": "side",
                "args": ["sleep 0.2; echo side >> /order/file; touch /tmp/up; sleep 1000"],
                "restartPolicy": "Always",
                "startupProbe": {"exec": {"command": ["test", "-e", "/tmp/up"]}, "periodSeconds": 1},
                "volumeMounts": mounts,
            },
            {"name": "second", "args": ["echo second >> /order/file"], "volumeMounts": mounts},
        ],
        volumes=[{"name": "order", "emptyDir": {}}],
    )
    pod = await lab.until("initial", is_ready)
    read = "until grep -q app /order/file; do sleep 0.02; done; cat /order/file"
    assert await lab.run("initial", "sh", "-c", read) == (0, "first\nside\nsecond\napp\n")
    assert container_status(pod, "first")["state"]["terminated"]["exitCode"] == 0
    assert container_status(pod, "side")["ready"]


@in_lab
async def test_an_unknown_image_is_a_pull_error(lab: Lab) -> None:
    await lab.create_pod("unknown", {"name": "c", "image": "nowhere/nothing:1"})
    pod = await lab.until(
        "unknown",
        lambda pod: container_status(pod)["state"].get("waiting", {}).get("reason") == "ErrImagePull",
    )
    assert (
        container_status(pod)["state"]["waiting"]["message"]
        == 'image "nowhere/nothing:1" is not known; use sh'
    )
    assert pod["status"]["phase"] == "Pending"
    assert {"Pulling", "Failed"} <= set(await lab.reasons())
    with pytest.raises(ApiError, match=r"is waiting to start: (ErrImagePull|ImagePullBackOff)"):
        await lab.log("unknown")
    await lab.client.delete(PODS, "unknown", "default")
    await lab.gone("unknown")


@in_lab
async def test_a_command_that_is_not_there_is_a_start_error(lab: Lab) -> None:
    await lab.create_pod("start", {"name": "c", "command": ["no-such-program"]}, restartPolicy="Never")
    pod = await lab.until("start", lambda pod: pod["status"]["phase"] == "Failed")
    terminated = container_status(pod)["state"]["terminated"]
    assert (terminated["reason"], terminated["exitCode"]) == ("StartError", 128)
    assert "executable file not found" in terminated["message"]


def web_server(**probes: Any) -> tuple[JsonObject, dict[str, Any]]:
    """A container that serves on port 8080 while /tmp/healthy exists, and the rest of its pod."""
    paths = [mount.source for mount in specification.python_mounts()]
    container = {
        "name": "c",
        "args": [f"touch /tmp/healthy; exec {sys.executable} -c '{SERVER}'"],
        "ports": [{"name": "web", "containerPort": 8080}],
        "volumeMounts": [{"name": f"m{i}", "mountPath": path} for i, path in enumerate(paths)],
        **probes,
    }
    volumes = [{"name": f"m{i}", "hostPath": {"path": path}} for i, path in enumerate(paths)]
    return container, {"volumes": volumes, "terminationGracePeriodSeconds": 1}


@in_lab
async def test_http_probes_decide_readiness_and_restarts(lab: Lab) -> None:
    get = {"httpGet": {"path": "/", "port": "web"}, "periodSeconds": 1}
    container, spec = web_server(
        readinessProbe={**get, "failureThreshold": 1}, livenessProbe={**get, "failureThreshold": 3}
    )
    await lab.create_pod("probed", container, **spec)
    pod = await lab.until("probed", is_ready)
    connection = await lab.node.connect(pod, 8080)
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        await lab.node.connect(pod, 8081)
    await lab.run("probed", "rm", "/tmp/healthy")
    await lab.until("probed", lambda pod: not is_ready(pod))
    pod = await lab.until("probed", lambda pod: container_status(pod)["restartCount"] == 1)
    await lab.until("probed", is_ready)
    assert {"Unhealthy", "Killing"} <= set(await lab.reasons())


class RedirectEverything:
    """A network hook after which nothing that comes in from outside reaches the program."""

    def apply(self, _pod: JsonObject, netns: NetworkNamespace) -> None:
        away = nft.rule(nft.protocol("tcp"), nft.redirect(15006))
        chain = nft.Chain("prerouting", (away,), nft.Hook("nat", "prerouting", nft.DSTNAT))
        netns.run(lambda: nft_transactions.install(nft.Table("away", (chain,))))


def test_probes_reach_the_program_past_a_redirection(tmp_path: Path) -> None:
    async def body(forks: forking.ForkServer) -> None:
        hooks = [RedirectEverything()]
        async with running(Lab(tmp_path, forks, stores.Store.open(None), network_hooks=hooks)) as lab:
            container, spec = web_server(readinessProbe={"httpGet": {"port": "web"}})
            await lab.create_pod("web", container, **spec)
            await lab.until("web", is_ready)

    in_child(lambda: with_forks(body))


@in_lab
async def test_twelve_pods_start_soon(lab: Lab) -> None:
    began = time.process_time()  # a busy machine lets all of it take longer
    for number in range(12):
        await lab.create_pod(f"many-{number}", {"name": "c", "args": ["sleep 1000"]})
    pods = [await lab.until(f"many-{number}", is_ready) for number in range(12)]
    assert time.process_time() - began < 6, "well below a second of this processor each"
    assert len({pod["status"]["podIP"] for pod in pods}) == 12


def test_a_pod_starts_afresh_after_a_crash_with_its_name_and_address(tmp_path: Path) -> None:
    async def before(forks: forking.ForkServer) -> None:
        async with running(Lab(tmp_path, forks, stores.Store.open(tmp_path / "store.db"))) as lab:
            await lab.create_pod("other", {"name": "c", "args": ["sleep 1000"]})
            await lab.until("other", is_ready)
            await lab.create_pod("kept", {"name": "c", "args": ["echo run; sleep 1000"]})
            await lab.create_pod("once", {"name": "c", "args": ["sleep 1000"]}, restartPolicy="Never")
            pod = await lab.until("kept", is_ready)
            await lab.until("once", is_ready)
            (tmp_path / "uid").write_text(pod["metadata"]["uid"] + " " + pod["status"]["podIP"])
            (tmp_path / "gone").touch()
            os._exit(0)  # the crash: PID 1 of the namespace ends, and everything with it

    async def after(forks: forking.ForkServer) -> None:
        async with running(Lab(tmp_path, forks, stores.Store.open(tmp_path / "store.db"))) as lab:
            pod = await lab.until(
                "kept", lambda pod: container_status(pod)["restartCount"] == 1 and is_ready(pod)
            )
            assert f"{pod['metadata']['uid']} {pod['status']['podIP']}" == (tmp_path / "uid").read_text()
            assert container_status(pod)["lastState"]["terminated"]["reason"] == "ContainerStatusUnknown"
            once = await lab.until("once", lambda pod: pod["status"]["phase"] == "Failed")
            assert container_status(once)["restartCount"] == 0

    with pytest.raises(pytest.fail.Exception, match="without a word"):
        in_child(lambda: with_forks(before))
    assert (tmp_path / "gone").exists()
    in_child(lambda: with_forks(after))


@in_lab
async def test_containers_that_share_processes_see_each_other_and_leave_no_zombies(lab: Lab) -> None:
    await lab.create_pod(
        "sharing",
        {"name": "c", "args": ["exec tail -f /dev/null"]},
        {"name": "d", "args": ["sleep 1000"]},
        shareProcessNamespace=True,
    )
    await lab.until("sharing", is_ready)
    find = "grep -lsx tail /proc/[0-9]*/comm"
    seen = await lab.run("sharing", "sh", "-c", f"until {find}; do sleep 0.02; done", container="d")
    assert seen[1].startswith("/proc/")
    assert (await lab.run("sharing", "sh", "-c", "(sleep 0.1 &) ; exit 0"))[0] == 0
    zombies = "grep -qs 'State:.Z' /proc/[0-9]*/status"
    waiting = f"sleep 0.3; while {zombies}; do sleep 0.02; done"
    assert await asyncio.wait_for(lab.run("sharing", "sh", "-c", waiting), 60) == (0, "")
    await lab.run("sharing", "sh", "-c", f"kill -9 $({find} | cut -d/ -f3)", container="d")
    pod = await lab.until("sharing", lambda pod: container_status(pod)["restartCount"] == 1 and is_ready(pod))
    assert container_status(pod, "d")["restartCount"] == 0
