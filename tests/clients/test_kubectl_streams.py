"""
Logs, exec, attach and port-forward with the real kubectl, and what Python clients do differently.

kubectl streams over WebSocket; older ones and other Go programs do it over SPDY/3.1, so both are tested.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import uvloop
from tests.clients.conftest import DEADLINE_S, Cluster, Keys, line_of, open_cluster
from tests.clients.local_streams import LocalStreams
from tests.clients.manifests import POD, running_pod

from bookmesh.kube.api import app, authentication, serving, verbs


class OverEither:
    """Tests with a kubectl of each transport."""

    @pytest.fixture(params=["websocket", "spdy"])
    def transport(self, request: pytest.FixtureRequest) -> str:
        transport: str = request.param
        return transport

    @pytest.fixture
    def cluster(self, cluster: Cluster, transport: str) -> Cluster:
        if transport == "spdy":
            cluster.variables |= {
                "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false",
                "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false",
            }
        return cluster


class TestLogs:
    @pytest.mark.covers("kubectl", "logs", "logs --tail", "logs --previous")
    async def test_lines_tail_and_previous(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        for word in ("one", "two", "three"):
            cluster.streams.say(word)
        assert await cluster.ok("logs", "sleeper") == "one\ntwo\nthree\n"
        assert await cluster.ok("logs", "sleeper", "--tail=1", "-c", "main") == "three\n"
        prefixed = await cluster.ok("logs", "-l", "app=sleeper", "--prefix")
        assert prefixed.startswith("[pod/sleeper/main] one\n")
        assert "previous terminated container" in await cluster.fails("logs", "-p", "sleeper")
        assert "container nope is not valid for pod sleeper" in await cluster.fails(
            "logs", "sleeper", "-c", "nope"
        )

    @pytest.mark.covers("kubectl", "logs -f")
    async def test_follow_until_the_container_ends(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        async with cluster.running("logs", "-f", "sleeper") as following:
            cluster.streams.say("first")
            assert await line_of(following) == "first"
            cluster.streams.say("second")
            assert await line_of(following) == "second"
            cluster.streams.end()
            assert await asyncio.wait_for(following.wait(), DEADLINE_S) == 0

    @pytest.mark.covers("kubectl", "logs -c")
    async def test_two_containers_need_a_name(self, cluster: Cluster) -> None:
        await running_pod(cluster, POD + "  - {name: other, image: curl}\n")
        cluster.streams.say("hello")
        assert "hello" in await cluster.ok("logs", "sleeper", "--all-containers")
        assert cluster.streams.log_requests[-1].container in {"main", "other"}


class TestExec(OverEither):
    async def test_the_transport_is_the_one_that_is_meant(self, cluster: Cluster, transport: str) -> None:
        await running_pod(cluster)
        told = await cluster.kubectl("exec", "-v=8", "sleeper", "--", "true")
        is_spdy = "Upgrade: SPDY/3.1" in told.err or "Upgrade=SPDY/3.1" in told.err
        assert (told.code, is_spdy) == (0, transport == "spdy"), told.err

    @pytest.mark.covers("kubectl", "exec", "exec (over SPDY)")
    async def test_output_errors_and_exit_code(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        script = "echo out; echo err >&2; exit 7"
        result = await cluster.kubectl("exec", "sleeper", "--", "sh", "-c", script)
        assert (result.code, result.out) == (7, "out\n")
        assert result.err.startswith("err\n")
        assert "exit code 7" in result.err
        assert await cluster.ok("exec", "sleeper", "--", "echo", "a b") == "a b\n"

    @pytest.mark.covers("kubectl", "exec -i", "exec -i (over SPDY)")
    async def test_standard_input_ends(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        data = os.urandom(1 << 20).hex()
        assert await cluster.ok("exec", "-i", "sleeper", "--", "cat", stdin=data) == data

    async def test_a_command_that_reads_nothing_of_much_input(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        assert await cluster.ok("exec", "-i", "sleeper", "--", "true", stdin="x" * 300_000) == ""

    async def test_missing_command(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        error = await cluster.fails("exec", "sleeper", "--", "no-such-command")
        assert 'exec: "no-such-command": executable file not found in $PATH' in error

    async def test_killed_client_ends_the_command(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        async with cluster.running("exec", "sleeper", "--", "sh", "-c", "echo up; sleep 100") as executing:
            assert await line_of(executing) == "up"
        (session,) = cluster.streams.sessions
        assert await asyncio.wait_for(session._process.wait(), DEADLINE_S) != 0

    @pytest.mark.covers("kubectl", "exec -it", "exec -it (over SPDY)")
    async def test_terminal(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        master, slave = os.openpty()
        process = await asyncio.create_subprocess_exec(
            str(cluster.binary),
            *("exec", "-it", "sleeper", "--", "sh", "-c", "test -t 0 && stty size; read word; exit $word"),
            env=cluster.environment(),
            stdin=slave,
            stdout=slave,
            stderr=asyncio.subprocess.PIPE,
        )
        os.close(slave)
        os.write(master, b"9\n")
        _, err = await asyncio.wait_for(process.communicate(), DEADLINE_S)
        os.close(master)
        assert process.returncode == 9, err

    @pytest.mark.covers("kubectl", "attach", "attach (over SPDY)")
    async def test_attach_follows_the_output(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        cluster.streams.say("before")
        async with cluster.running("attach", "sleeper") as attached:
            async with asyncio.timeout(DEADLINE_S):
                while not cluster.streams.attached:
                    await asyncio.sleep(0.01)
            cluster.streams.say("after")
            assert await line_of(attached) == "after"
            cluster.streams.end()
            assert await asyncio.wait_for(attached.wait(), DEADLINE_S) == 0


@asynccontextmanager
async def forwarded(
    cluster: Cluster, pod_port: int, *, target: str = "sleeper"
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """A kubectl that forwards a free local port; yields it with that port."""
    async with cluster.running("port-forward", target, f":{pod_port}") as process:
        line = await line_of(process)
        assert line.startswith("Forwarding from 127.0.0.1:"), line
        yield process, int(line.split()[2].rpartition(":")[2])


@asynccontextmanager
async def echo_server() -> AsyncIterator[int]:
    """Answers with what it got, in capitals, when the other side is done."""

    answering: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data.upper())
                await writer.drain()
        except ConnectionError:
            pass  # the connection was given up in the middle
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.create_task(answer(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    async with asyncio.timeout(DEADLINE_S):
        await asyncio.gather(*answering)


async def talk(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await asyncio.wait_for(reader.readexactly(len(data)), DEADLINE_S)
    writer.close()
    await writer.wait_closed()
    return answer


class TestPortForward(OverEither):
    @pytest.mark.covers("kubectl", "port-forward (a pod)", "port-forward (over SPDY)")
    async def test_many_connections_at_once(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        async with echo_server() as port:
            cluster.streams.ports[80] = port
            async with forwarded(cluster, 80) as (_, local):
                answers = await asyncio.gather(*(talk(local, b"hello %d" % number) for number in range(20)))
                assert answers == [b"HELLO %d" % number for number in range(20)]
                large = b"abcdefgh" * 250_000
                assert await talk(local, large) == large.upper()

    async def test_closed_port_is_reported(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        async with forwarded(cluster, 81) as (process, local):
            reader, writer = await asyncio.open_connection("127.0.0.1", local)
            assert await reader.read() == b""
            writer.close()
            assert process.stderr
            error = await asyncio.wait_for(process.stderr.readline(), DEADLINE_S)
            assert b"error forwarding port 81" in error


def test_streams_work_under_uvloop(
    over: verbs.Verbs, tls: ssl.SSLContext, keys: Keys, tmp_path: Path
) -> None:
    binary = Path(sysconfig.get_path("scripts")) / "kubectl"

    async def scenario() -> None:
        async with open_cluster(over, tls, keys, directory=tmp_path, binary=binary) as cluster:
            await running_pod(cluster)
            assert await cluster.ok("exec", "-i", "sleeper", "--", "cat", stdin="hello") == "hello"
            async with echo_server() as port:
                cluster.streams.ports[80] = port
                async with forwarded(cluster, 80) as (_, local):
                    assert await talk(local, b"hello") == b"HELLO"
            async with cluster.running("get", "pods", "-w", "--no-headers") as watching:
                assert (await line_of(watching)).split()[0] == "sleeper"

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


def _client_context(keys: Keys) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(keys.authority))
    context.load_cert_chain(keys.client)
    return context


async def test_python_clients_forward_ports_by_channels(cluster: Cluster, keys: Keys) -> None:
    await running_pod(cluster)
    url = (
        f"wss://127.0.0.1:{cluster.port}/api/v1/namespaces/default/pods/sleeper/portforward?ports=80&ports=81"
    )
    async with echo_server() as port, aiohttp.ClientSession() as session:
        cluster.streams.ports[80] = port
        connecting = session.ws_connect(url, protocols=("v4.channel.k8s.io",), ssl=_client_context(keys))
        async with connecting as socket:
            greetings = [await socket.receive_bytes() for _ in range(4)]
            assert greetings == [b"\0\x50\0", b"\1\x50\0", b"\2\x51\0", b"\3\x51\0"]
            assert b"error forwarding port 81" in await socket.receive_bytes()
            await socket.send_bytes(b"\0hello")
            assert await socket.receive_bytes() == b"\0HELLO"


async def test_one_application_on_two_listeners_stops_with_open_watches(
    over: verbs.Verbs, tls: ssl.SSLContext, keys: Keys
) -> None:
    built = app.build_app(over, streams=LocalStreams(), authenticator=authentication.Authenticator())
    first, second = [await serving.start(built, tls=tls) for _ in range(2)]
    async with aiohttp.ClientSession() as session:
        for port in (first.port, second.port):
            url = f"https://127.0.0.1:{port}/api/v1/namespaces?watch=true"
            response = await session.get(url, ssl=_client_context(keys))
            assert json.loads(await response.content.readline())["type"] == "ADDED"
        began = asyncio.get_running_loop().time()
        await first.stop()
        await second.stop()
        assert asyncio.get_running_loop().time() - began < 10
