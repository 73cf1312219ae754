"""Sandboxes made by the fork server, in real namespaces."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from tests.lab import inside

from bookmesh.kube.sandbox import namespaces, sessions, specification, syscalls
from bookmesh.kube.sandbox.forking import Exit, ForkServer, Process, SandboxError
from bookmesh.kube.sandbox.namespaces import NetworkNamespace
from bookmesh.kube.sandbox.specification import Mount, SandboxSpec

ENV = {"PATH": "/usr/bin:/bin"}


class Bench:
    """Starts processes whose output is collected."""

    def __init__(self, server: ForkServer) -> None:
        self.server = server
        self.netns = NetworkNamespace.create()

    async def start(self, *argv: str, out: int = -1, **fields: object) -> Process:
        spec = SandboxSpec(**{"name": "test", "argv": argv, "env": ENV, **fields})  # type: ignore[arg-type]
        target = out if out >= 0 else os.open("/dev/null", os.O_WRONLY)
        try:
            return await self.server.run(spec, netns=self.netns.fd, stdout=target, stderr=target)
        finally:
            if out < 0:
                os.close(target)

    async def output(self, *argv: str, **fields: object) -> tuple[Exit, str]:
        with tempfile.TemporaryFile() as file:
            process = await self.start(*argv, out=file.fileno(), **fields)
            ended = await process.wait()
            file.seek(0)
            return ended, file.read().decode()

    async def execute(self, process: Process, argv: Sequence[str], **changes: object) -> tuple[Exit, str]:
        with tempfile.TemporaryFile() as file, open(os.devnull) as empty:
            arguments: dict[str, object] = {"env": ENV, "cwd": "/", "uid": None, "gid": None, "tty": False}
            arguments |= {"groups": ()}
            arguments |= {"stdin": empty.fileno(), "stdout": file.fileno(), "stderr": file.fileno()}
            session = await self.server.execute(process.pid, argv=argv, **(arguments | changes))  # type: ignore[arg-type]
            ended = await session.wait()
            file.seek(0)
            return ended, file.read().decode()


def made_directory() -> Path:
    """A directory that goes with the scenario's process: a tmpfs of its own mount namespace."""
    syscalls.mount("tmpfs", "/mnt", "tmpfs")
    return Path("/mnt")


async def own_root(server: ForkServer) -> None:
    bench = Bench(server)
    secret = made_directory() / "secret"
    secret.write_text("of the host")
    script = (
        f"hostname; echo $$; cat /etc/hosts; ls {secret}; ls -A /root /home; touch /usr/mine && echo writable"
    )
    ended, text = await bench.output(
        "sh", "-c", script, hostname="web-0", files={"/etc/hosts": "127.0.0.1 localhost web-0\n"}
    )
    lines = text.splitlines()
    assert lines[:3] == ["web-0", "1", "127.0.0.1 localhost web-0"], text
    assert "No such file" in lines[3]
    assert lines[-1] == "writable"
    assert ended == Exit(0)
    assert not Path("/usr/mine").exists()


async def mounts(server: ForkServer) -> None:
    bench = Bench(server)
    base = made_directory()
    for name in ("outer", "inner"):
        (base / name).mkdir()
        (base / name / "file").write_text(name)
    (base / "outer" / "deep").mkdir()
    given = (  # the inner one comes first and must be seen nevertheless
        Mount(str(base / "inner"), "/data/deep", read_only=True),
        Mount(str(base / "outer"), "/data"),
        Mount(str(base / "outer" / "file"), "/etc/one-file", read_only=True),
    )
    script = "cat /data/file /data/deep/file /etc/one-file; echo x > /data/new; echo x > /data/deep/new"
    ended, text = await bench.output("sh", "-c", script, mounts=given)
    assert text.startswith("outerinnerouter"), text
    assert "Read-only file system" in text
    assert ended.code != 0
    assert (base / "outer" / "new").exists()
    with pytest.raises(SandboxError, match=r'mount "/nowhere" at "/x": the source does not exist') as error:
        await bench.start("true", mounts=(Mount("/nowhere", "/x"),))
    assert not error.value.command_failed


async def mounts_below_usr(server: ForkServer) -> None:
    """Where the host has nothing to mount on, and its directories are not ours; what it has there stays in view."""
    bench = Bench(server)
    base = made_directory()
    (base / "program").write_text("#!/bin/sh\necho ran\n")
    (base / "program").chmod(0o755)
    (base / "data").mkdir()
    (base / "data" / "file").write_text("shown")
    given = (
        Mount(str(base / "program"), "/usr/bin/bookmesh-test-program", read_only=True),
        Mount(str(base / "data"), "/usr/local/bookmesh-test/data"),
    )
    script = "bookmesh-test-program; cat /usr/local/bookmesh-test/data/file; ls /usr/bin/env"
    ended, text = await bench.output("sh", "-c", script, mounts=given)
    assert (ended, text) == (Exit(0), "ran\nshown/usr/bin/env\n")


async def ends(server: ForkServer) -> None:
    bench = Bench(server)
    assert (await bench.output("sh", "-c", "exit 3"))[0] == Exit(3)
    sleeper = await bench.start("sleep", "1000")
    waiting = [asyncio.ensure_future(sleeper.wait()) for _ in range(3)]
    sleeper.signal(signal.SIGKILL)
    assert await asyncio.gather(*waiting) == [Exit(137, 9)] * 3
    assert sleeper.exit == Exit(137, 9)
    sleeper.signal(signal.SIGTERM)  # after the end: nothing


async def commands_that_fail(server: ForkServer) -> None:
    bench = Bench(server)
    expected = {
        ("foo",): 'exec: "foo": executable file not found in $PATH',
        ("/bin/foo",): 'exec: "/bin/foo": stat /bin/foo: no such file or directory',
        ("/etc/passwd",): 'exec: "/etc/passwd": permission denied',
        ("/tmp",): 'exec: "/tmp": is a directory',
    }
    for argv, text in expected.items():
        with pytest.raises(SandboxError) as error:
            await bench.start(*argv)
        assert str(error.value) == text
        assert error.value.command_failed
    process = await bench.start("sleep", "1000")
    with pytest.raises(SandboxError, match="executable file not found"):
        await bench.execute(process, ["foo"])
    process.signal(signal.SIGKILL)
    await process.wait()
    with pytest.raises(SandboxError, match="the sandbox has ended"):
        await bench.execute(process, ["true"])


async def entries(server: ForkServer) -> None:
    bench = Bench(server)
    python = specification.python_mounts()
    ended, text = await bench.output(
        "json.tool",
        "/in.json",
        entry="json.tool:main",
        mounts=python,
        files={"/in.json": '{"a":1}'},
        cwd="/srv/app",
    )
    assert (ended, text) == (Exit(0), '{\n    "a": 1\n}\n')
    ended, text = await bench.output("json.tool", "/none.json", entry="json.tool:main", mounts=python)
    assert ended == Exit(2)
    assert "No such file or directory" in text
    ended, text = await bench.output("x", entry="wsgiref.validate:nothing", mounts=python)
    assert ended == Exit(1)
    assert "has no attribute 'nothing'" in text  # imported late, so its file was found inside


async def commands_inside(server: ForkServer) -> None:
    bench = Bench(server)
    process = await bench.start("sleep", "1000", hostname="web-0")
    ended, text = await bench.execute(
        process, ["sh", "-c", "hostname; pwd; ps ax -o args; exit 7"], cwd="/var/log"
    )
    assert ended == Exit(7)
    assert text.splitlines()[:2] == ["web-0", "/var/log"]
    assert "sleep 1000" in text
    master, slave = os.openpty()
    session = await server.execute(
        process.pid,
        argv=["sh", "-c", "sleep 777 & echo hello > /dev/tty; read line; sleep 888"],
        env=ENV,
        cwd="/",
        uid=None,
        gid=None,
        groups=(),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        tty=True,
    )
    os.close(slave)
    said = b""
    while not said.endswith(b"\n"):  # a terminal may give a line and its end one after the other
        said += os.read(master, 100)
    assert said == b"hello\r\n"
    os.write(master, b"\x03")  # Ctrl-C reaches the session through its controlling terminal
    assert (await asyncio.wait_for(session.wait(), 20)).signal == signal.SIGINT
    session.end_session()  # the background child outlived it
    await _eventually(lambda: not sessions.members(session.pid))
    os.close(master)


async def large_requests(server: ForkServer) -> None:
    bench = Bench(server)
    ended, text = await bench.output("wc", "-c", "/big", files={"/big": "x" * 3_000_000})
    assert (ended, text) == (Exit(0), "3000000 /big\n")
    env = ENV | {f"VARIABLE_{number}": "y" * 100 for number in range(3000)}
    ended, text = await bench.output("sh", "-c", "env | grep -c VARIABLE_", env=env)
    assert text == "3000\n"


async def many_at_once(server: ForkServer) -> None:
    bench = Bench(server)
    started = time.process_time()
    processes = await asyncio.gather(*(bench.start("sleep", "1000") for _ in range(20)))
    assert time.process_time() - started < 5, "of this processor: a busy machine lets it take longer"
    assert len({process.pid for process in processes}) == 20
    for process in processes:
        process.signal(signal.SIGKILL)
    assert {(await process.wait()).signal for process in processes} == {signal.SIGKILL}


async def cancelled_start(server: ForkServer) -> None:
    bench = Bench(server)
    before = _children(server.pid)
    task = asyncio.ensure_future(bench.start("sleep", "1000"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    other = await bench.start("true")  # its reply comes after that of the cancelled one
    await other.wait()
    await _eventually(lambda: _children(server.pid) == before)


async def privileges(server: ForkServer) -> None:
    bench = Bench(server)
    _, text = await bench.output(
        "sh", "-c", "mount -t tmpfs none /mnt; echo 1 > /proc/sys/vm/swappiness; cat /proc/self/status"
    )
    assert "permission denied" in text.lower()
    assert "Read-only file system" in text
    assert capabilities_in(text) == {
        "CapEff": specification.USUAL_CAPABILITIES,
        "CapBnd": specification.USUAL_CAPABILITIES,
        "NoNewPrivs": 0,
    }
    assert server.can_change_user == (namespaces.mapped_ids() > 1)
    _, text = await bench.output("id", "-u", uid=1000, gid=1000)
    assert text == ("1000\n" if server.can_change_user else "0\n")


def capabilities_in(status: str) -> dict[str, int]:
    """What /proc/self/status says of privileges."""
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return {key: int(fields[key], 16) for key in ("CapEff", "CapBnd", "NoNewPrivs")}


async def dropped_capabilities(server: ForkServer) -> None:
    bench = Bench(server)
    read = ("cat", "/proc/self/status")
    _, text = await bench.output(*read, capabilities=0, no_new_privileges=True)
    assert capabilities_in(text) == {"CapEff": 0, "CapBnd": 0, "NoNewPrivs": 1}
    only_net_admin = 1 << 12
    _, text = await bench.output(*read, capabilities=only_net_admin | 1 << 21)
    assert capabilities_in(text)["CapEff"] == only_net_admin, "SYS_ADMIN is never given"
    _, text = await bench.output(*read, capabilities=0, uid=1000, gid=1000, groups=(5,))
    assert capabilities_in(text)["CapBnd"] == 0
    if server.can_change_user:
        assert "Groups:\t5 " in text
    process = await bench.start("sleep", "1000", capabilities=0, no_new_privileges=True)
    _, text = await bench.execute(process, read)
    assert capabilities_in(text) == {"CapEff": 0, "CapBnd": 0, "NoNewPrivs": 1}, "commands have no more"
    process.signal(signal.SIGKILL)


async def low_ports(server: ForkServer) -> None:
    serve = "import socket; socket.create_server(('127.0.0.1', 80)); print('served')"
    _, text = await Bench(server).output("python3", "-c", serve, capabilities=0, uid=1000, gid=1000)
    assert "Permission denied" not in text


async def lost_server(server: ForkServer) -> None:
    bench = Bench(server)
    process = await bench.start("sleep", "1000")
    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(SandboxError, match="fork server has ended"):
        await asyncio.wait_for(process.wait(), 20)
    with pytest.raises(SandboxError, match="fork server has ended"):
        await bench.start("true")


async def closing(server: ForkServer) -> None:
    bench = Bench(server)
    process = await bench.start("sleep", "1000")
    server.close()
    assert not Path(f"/proc/{process.pid}").exists()
    with pytest.raises(SandboxError, match="was closed"):
        await process.wait()


async def orphans(_server: ForkServer) -> None:
    assert os.getpid() == 1
    with subprocess.Popen(["sh", "-c", "sleep 0.1 & echo $!"], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
    await _eventually(lambda: not Path(f"/proc/{orphan}").exists())


def _children(pid: int) -> set[str]:
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


async def _eventually(condition: object, limit_s: float = 20) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


FACTS: Mapping[str, str] = {
    "own_root": "a sandbox has a host name, pid 1 and a root of its own",
    "mounts": "mounts are nested by path and read-only where asked",
    "mounts_below_usr": "a mount below usr needs nothing on the host",
    "ends": "exit codes and signals reach all who wait",
    "commands_that_fail": "a command that cannot be executed is told in runc's words",
    "entries": "an entry runs in the preloaded interpreter",
    "commands_inside": "a command inside has its code, its terminal, and leaves nothing",
    "large_requests": "a request may be larger than a datagram",
    "many_at_once": "sandboxes start at the same time",
    "cancelled_start": "a cancelled start leaves no process",
    "privileges": "a sandbox keeps few privileges",
    "dropped_capabilities": "capabilities can be dropped and are not got back",
    "low_ports": "a low port wants no capability",
    "lost_server": "the end of the fork server is told to all who wait",
    "orphans": "the first process collects orphans under uvloop",
    "closing": "closing the server ends what it started",
}


@pytest.mark.lab
@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("scenario", FACTS, ids=[fact.replace(" ", "_") for fact in FACTS.values()])
def test_sandbox(scenario: str) -> None:
    inside.run(__file__, scenario)


if __name__ == "__main__":
    inside.main(globals())
