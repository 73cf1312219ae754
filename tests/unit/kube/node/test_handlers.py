from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.kube.node import handlers
from bookmesh.kube.sandbox.namespaces import NetworkNamespace
from bookmesh.kube.sandbox.specification import SandboxSpec

LONG_S = 60.0
"""More than anything here takes that is not meant to take too long."""


def target(forks: fakes.FakeForks | None = None) -> handlers.Target:
    return handlers.Target(
        node=NetworkNamespace(-1),
        pod=NetworkNamespace(-1),
        forks=forks or fakes.FakeForks(),
        ip="10.244.0.2",
        ports={"web": 8080},
        pid=1,
        spec=SandboxSpec("c", ("app",)),
    )


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes | Exception], list[Any]]:
    """Let every connection get these bytes for an answer; gives what was asked."""

    def install(response: bytes | Exception) -> list[Any]:
        seen: list[Any] = []

        async def connect(_target: object, host: str, port: int) -> socket.socket:
            if isinstance(response, Exception):
                raise response
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            theirs.setblocking(False)
            seen.append((host, port))
            seen.append(asyncio.create_task(serve(theirs)))
            return ours

        async def serve(connection: socket.socket) -> bytes:
            loop = asyncio.get_running_loop()
            with connection:
                request = await loop.sock_recv(connection, 65536)
                if response and isinstance(response, bytes):
                    await loop.sock_sendall(connection, response)
                return request

        monkeypatch.setattr(handlers, "_connect", connect)
        return seen

    return install


@pytest.mark.parametrize(
    ("response", "result"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", handlers.Result(True)),
        (b"HTTP/1.0 204 No Content\r\n\r\n", handlers.Result(True)),
        (b"HTTP/1.1 302 Found\r\n\r\n", handlers.Result(True)),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", handlers.Result(False, "HTTP probe failed with statuscode: 404")),
        (b"HTTP/1.1 503\r\n\r\n", handlers.Result(False, "HTTP probe failed with statuscode: 503")),
        (b"SSH-2.0-x\r\n", handlers.Result(False, 'Get "http://10.244.0.2:8080/": malformed HTTP response')),
        (b"", handlers.Result(False, 'Get "http://10.244.0.2:8080/": EOF')),
        (
            OSError("dial tcp 10.244.0.2:8080: connect: connection refused"),
            handlers.Result(
                False, 'Get "http://10.244.0.2:8080/": dial tcp 10.244.0.2:8080: connect: connection refused'
            ),
        ),
    ],
)
async def test_http_statuses(
    answer: Callable[[bytes | Exception], list[Any]], response: bytes | Exception, result: handlers.Result
) -> None:
    seen = answer(response)
    assert await handlers.perform({"httpGet": {"port": "web"}}, target(), timeout_s=LONG_S) == result
    await asyncio.gather(*seen[1::2])


async def test_an_http_request_says_what_it_was_told(answer: Callable[[bytes], list[Any]]) -> None:
    seen = answer(b"HTTP/1.1 200 OK\r\n\r\n")
    action = {
        "port": 9080,
        "path": "ready?full=1",
        "host": "192.0.2.1",
        "httpHeaders": [{"name": "host", "value": "example.com"}, {"name": "X-Probe", "value": "1"}],
    }
    assert (await handlers.perform({"httpGet": action}, target(), timeout_s=LONG_S)).success
    address, request = seen
    lines = (await request).decode().split("\r\n")
    assert address == ("192.0.2.1", 9080)
    assert lines[0] == "GET /ready?full=1 HTTP/1.1"
    assert {"Host: example.com", "X-Probe: 1", "Connection: close"} <= set(lines)


async def test_tcp_is_fine_when_it_connects(answer: Callable[[bytes | Exception], list[Any]]) -> None:
    seen = answer(b"")
    assert await handlers.perform(
        {"tcpSocket": {"port": "8080"}}, target(), timeout_s=LONG_S
    ) == handlers.Result(True)
    assert seen[0] == ("10.244.0.2", 8080)
    await asyncio.gather(*seen[1::2])
    answer(OSError("refused"))
    assert await handlers.perform({"tcpSocket": {"port": 1}}, target(), timeout_s=LONG_S) == handlers.Result(
        False, "refused"
    )


@pytest.mark.parametrize("kind", ["httpGet", "tcpSocket"])
async def test_an_unknown_port_name_is_named(kind: str) -> None:
    result = await handlers.perform({kind: {"port": "nope"}}, target(), timeout_s=LONG_S)
    assert result == handlers.Result(False, 'couldn\'t find port "nope"')


async def test_a_grpc_server_that_cannot_be_reached_is_a_failure(
    answer: Callable[[bytes | Exception], list[Any]],
) -> None:
    answer(OSError("dial tcp 10.244.0.2:9000: connect: connection refused"))
    result = await handlers.perform({"grpc": {"port": 9000}}, target(), timeout_s=LONG_S)
    assert result == handlers.Result(
        False,
        'error: failed to connect service at "10.244.0.2:9000": dial tcp 10.244.0.2:9000: connect: '
        "connection refused",
    )


async def test_a_grpc_server_that_says_nothing_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    import grpc  # noqa: F401 - the first time takes a while, which would count

    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    async def connect(_target: object, _host: str, _port: int) -> socket.socket:
        return ours

    monkeypatch.setattr(handlers, "_connect", connect)
    with theirs:
        result = await handlers.perform({"grpc": {"port": 9000}}, target(), timeout_s=2)
        assert result == handlers.Result(False, "timeout: health rpc did not complete within 2s")
        assert theirs.recv(14) == b"PRI * HTTP/2.0", "it was asked"


async def test_commands_are_judged_by_their_exit_code() -> None:
    forks = fakes.FakeForks()
    forks.commands = {
        "good": lambda: outcome(0, "fine\n"),
        "bad": lambda: outcome(3, ""),
        "loud": lambda: outcome(1, "x" * 20_000),
    }

    async def run(command: str) -> handlers.Result:
        return await handlers.perform({"exec": {"command": [command]}}, target(forks), timeout_s=LONG_S)

    assert await run("good") == handlers.Result(True, "fine")
    assert await run("bad") == handlers.Result(False, "command exited with 3")
    assert len((await run("loud")).message) == 10_240
    assert (await run("missing")).message == 'exec: "missing": executable file not found in $PATH'


async def outcome(code: int, output: str) -> tuple[int, str]:
    return code, output


async def test_what_takes_too_long_fails() -> None:
    async def forever() -> tuple[int, str]:
        await asyncio.Event().wait()
        return 0, ""

    forks = fakes.FakeForks()
    forks.commands = {"slow": forever}
    result = await handlers.perform({"exec": {"command": ["slow"]}}, target(forks), timeout_s=0.01)
    assert result == handlers.Result(False, "command timed out after 0.01s")


class Refusing(NetworkNamespace):
    """Makes sockets that connect to nobody, and counts them."""

    made = 0

    def socket(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        self.made += 1
        return socket.socket(socket.AF_UNIX, kind)


async def test_the_pods_own_address_is_reached_from_inside_and_others_from_the_node(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node, pod = Refusing(-1), Refusing(-1)

    async def refuse(_connection: socket.socket, _address: object) -> None:
        raise ConnectionRefusedError(111, "the loop's own words")

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", refuse)
    both = target()._replace(node=node, pod=pod)
    inside = await handlers.perform({"tcpSocket": {"port": 80}}, both, timeout_s=LONG_S)
    assert inside.message == "dial tcp 10.244.0.2:80: connect: connection refused"
    assert (node.made, pod.made) == (0, 1)
    await handlers.perform({"tcpSocket": {"port": 80, "host": "192.0.2.1"}}, both, timeout_s=LONG_S)
    assert (node.made, pod.made) == (1, 1)
