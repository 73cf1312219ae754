"""Exec, attach, cp and port-forward over SPDY/3.1, as older kubectls and other Go programs do it."""

from __future__ import annotations

import asyncio
import os

import pytest
from tests.clients.conftest import Cluster, line_of
from tests.clients.manifests import running_pod
from tests.clients.test_kubectl_streams import echo_server, forwarded, talk


@pytest.fixture
def spdy(cluster: Cluster) -> Cluster:
    """A kubectl that is told to leave WebSocket alone."""
    cluster.variables |= {
        "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false",
        "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false",
    }
    return cluster


@pytest.mark.covers("kubectl", "exec (over SPDY)")
async def test_output_errors_and_exit_code(spdy: Cluster) -> None:
    await running_pod(spdy)
    shown = await spdy.kubectl("exec", "-v=8", "sleeper", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (shown.code, shown.out) == (7, "out\n")
    assert "\nerr\n" in shown.err
    assert "Upgrade: SPDY/3.1" in shown.err or "Upgrade=SPDY/3.1" in shown.err, shown.err
    error = await spdy.fails("exec", "sleeper", "--", "no-such-command")
    assert 'exec: "no-such-command": executable file not found in $PATH' in error


@pytest.mark.covers("kubectl", "exec -i (over SPDY)")
async def test_much_input_and_its_end(spdy: Cluster) -> None:
    await running_pod(spdy)
    data = os.urandom(1 << 20).hex()
    assert await spdy.ok("exec", "-i", "sleeper", "--", "cat", stdin=data) == data
    assert await spdy.ok("exec", "-i", "sleeper", "--", "true", stdin="x" * 300_000) == ""


@pytest.mark.covers("kubectl", "exec -it (over SPDY)")
async def test_terminal_with_its_size(spdy: Cluster) -> None:
    await running_pod(spdy)
    master, slave = os.openpty()
    os.set_blocking(master, False)
    process = await asyncio.create_subprocess_exec(
        str(spdy.binary),
        *("exec", "-it", "sleeper", "--", "sh", "-c", "test -t 0 && read word; exit $word"),
        env=spdy.environment(),
        stdin=slave,
        stdout=slave,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(slave)
    os.write(master, b"9\n")
    _, err = await asyncio.wait_for(process.communicate(), 20)
    os.close(master)
    assert process.returncode == 9, err


async def test_killed_client_ends_the_command(spdy: Cluster) -> None:
    await running_pod(spdy)
    async with spdy.running("exec", "sleeper", "--", "sh", "-c", "echo up; sleep 100") as executing:
        assert await line_of(executing) == "up"
    (session,) = spdy.streams.sessions
    assert await asyncio.wait_for(session._process.wait(), 10) != 0


@pytest.mark.covers("kubectl", "attach (over SPDY)")
async def test_attach_follows_the_output(spdy: Cluster) -> None:
    await running_pod(spdy)
    async with spdy.running("attach", "sleeper") as attached:
        async with asyncio.timeout(10):
            while not spdy.streams.attached:
                await asyncio.sleep(0.01)
        spdy.streams.say("after")
        assert await line_of(attached) == "after"
        spdy.streams.end()
        assert await asyncio.wait_for(attached.wait(), 10) == 0


@pytest.mark.covers("kubectl", "port-forward (over SPDY)")
async def test_many_connections_at_once(spdy: Cluster) -> None:
    await running_pod(spdy)
    async with echo_server() as port:
        spdy.streams.ports[80] = port
        async with forwarded(spdy, 80) as (_, local):
            answers = await asyncio.gather(*(talk(local, b"hello %d" % number) for number in range(20)))
            assert answers == [b"HELLO %d" % number for number in range(20)]
            large = b"abcdefgh" * 250_000
            assert await talk(local, large) == large.upper()


async def test_closed_port_is_reported(spdy: Cluster) -> None:
    await running_pod(spdy)
    async with forwarded(spdy, 81) as (process, local):
        reader, writer = await asyncio.open_connection("127.0.0.1", local)
        assert await reader.read() == b""
        writer.close()
        assert process.stderr
        error = await asyncio.wait_for(process.stderr.readline(), 10)
        assert b"error forwarding port 81" in error
