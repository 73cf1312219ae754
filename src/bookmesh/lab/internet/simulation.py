"""
The simulated Internet of one lab: a network of its own behind the node, whose servers start when somebody wants them.

    nobody asks  ->  the lab's own sockets listen on every port, and nobody accepts
    first use    ->  (a name is looked up, or a connection comes in) programs and Envoy start, on the same ports
    Envoy serves ->  the lab's sockets close; the kernel hands Envoy the connections that waited in them

So it costs a lab that stays inside nothing but a network namespace, and the first client a third of a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final, NoReturn

import dns.message

from bookmesh.base import findings
from bookmesh.kube.node.ports import Forks, Process
from bookmesh.kube.sandbox import specification
from bookmesh.kube.sandbox.forking import SandboxError
from bookmesh.kube.sandbox.namespaces import NetworkNamespace
from bookmesh.kube.sandbox.network import NodeNetwork
from bookmesh.lab.internet import hosts as hosts_
from bookmesh.lab.internet import names, servers
from bookmesh.lab.internet.authority import Authority

_log = logging.getLogger(__name__)

OWN_ADDRESS: Final = "198.18.0.1"
_CONFIG: Final = "/etc/internet.json"
_PROGRAMS: Final = {
    "httpbin": ("bookmesh.lab.standins.gunicorn:main", ("gunicorn", "-b", "127.0.0.1:{port}"))
}
_PATIENCE_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.01
_ANSWER_WITHIN_S: Final = 4.0
"""Resolvers ask again after five seconds."""
_RESTART_S: Final = 1.0
_BACKLOG: Final = 512


class Simulation:
    """Run it with `run`; `resolve` is the fallback of the cluster DNS. Belongs to one event loop."""

    def __init__(
        self,
        node: NodeNetwork,
        forks: Forks,
        directory: hosts_.Directory,
        authority: Authority,
        *,
        envoy: Path,
        log: Path,
    ) -> None:
        self._node = node
        self._forks = forks
        self._directory = directory
        self._authority = authority
        self._envoy = envoy
        self._log_path = log
        self._names = names.Names(directory.addresses_of)
        self._namespace: NetworkNamespace | None = None
        self._attached = asyncio.Event()
        self._wanted = asyncio.Event()
        self._serves = asyncio.Event()
        self._failure: findings.Finding | None = None

    async def run(self) -> NoReturn:
        """Wait until somebody wants something, then serve until cancelled; servers that end are started again."""
        self._namespace = namespace = await asyncio.to_thread(self._attach)
        waiting = contextlib.ExitStack()
        try:
            sockets = await asyncio.to_thread(namespace.run, self._listen)
            for one in sockets:
                waiting.enter_context(one)
            self._attached.set()
            await self._wait_for_use(sockets)
            while True:
                try:
                    async with self._running(namespace) as processes:
                        waiting.close()
                        self._failure = None
                        self._serves.set()
                        await _first_end(processes)
                    _log.warning("a server of the simulated Internet ended; see %s", self._log_path)
                except (SandboxError, TimeoutError) as error:
                    self._note(str(error) or "its servers did not come up in time")
                self._serves.clear()
                await asyncio.sleep(_RESTART_S)
        finally:
            waiting.close()
            self._namespace = None
            namespace.close()

    async def resolve(self, query: dns.message.Message) -> dns.message.Message:
        """Answer a query for a name outside the cluster; a host answers by the time its address is known."""
        response = self._names.answer(query)
        if response.answer:
            self._wanted.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._serves.wait(), _ANSWER_WITHIN_S)
        return response

    async def connect(self, host: str, port: int) -> socket.socket:
        """
        Connect to a host from inside its network, on behalf of a program that is no pod.

        Raises:
            OSError: no host has this name, or nothing answers (TimeoutError after some seconds).
        """
        addresses = self._directory.addresses_of(host.lower())
        if not addresses and host not in self._directory.all_addresses:
            raise OSError(errno.EHOSTUNREACH, "the simulated Internet has no such host")
        await self._attached.wait()
        if self._namespace is None:
            raise OSError(errno.ENETDOWN, "the simulated Internet has ended")
        made = await asyncio.to_thread(self._namespace.socket)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                where = addresses[0] if addresses else host
                await asyncio.get_running_loop().sock_connect(made, (where, port))
        except BaseException:
            made.close()
            raise
        return made

    def findings(self) -> list[findings.Finding]:
        """Say which names nobody has, and why the servers do not run if they should."""
        return [*([self._failure] if self._failure else []), *self._names.findings()]

    def _attach(self) -> NetworkNamespace:
        namespace = NetworkNamespace.create()
        self._node.attach(namespace, OWN_ADDRESS)
        self._node.add_addresses(namespace, OWN_ADDRESS, self._directory.all_addresses)
        namespace.run(_hand_connections_over)
        return namespace

    def _listen(self) -> list[socket.socket]:
        """Listen on every port, in a way that lets Envoy do so too."""
        made = []
        for port in self._directory.ports:
            one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(("0.0.0.0", port))  # noqa: S104 - in a network of its own
            one.listen(_BACKLOG)
            made.append(one)
        return made

    async def _wait_for_use(self, waiting: list[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        for one in waiting:
            loop.add_reader(one.fileno(), self._wanted.set)
        try:
            await self._wanted.wait()
        finally:
            for one in waiting:
                loop.remove_reader(one.fileno())

    @contextlib.asynccontextmanager
    async def _running(self, namespace: NetworkNamespace) -> AsyncIterator[list[Process]]:
        """
        Run the programs and Envoy; when it is entered they serve, when it is left they are gone.

        Raises:
            SandboxError: one cannot be started. TimeoutError: one does not come up.
        """
        processes: list[Process] = []
        try:
            with _opened(self._log_path) as log:
                for spec in self._specifications():
                    started = await self._forks.run(spec, netns=namespace.fd, stdout=log, stderr=log)
                    processes.append(started)
            async with asyncio.timeout(_PATIENCE_S):
                for port in (*servers.PROGRAM_PORTS.values(), servers.READY_PORT):
                    await _wait_for_port(namespace, port)
            yield processes
        finally:
            for process in processes:
                process.signal(9)

    def _specifications(self) -> Iterator[specification.SandboxSpec]:
        mounts = specification.python_mounts()
        for name, port in servers.PROGRAM_PORTS.items():
            entry, arguments = _PROGRAMS[name]
            argv = tuple(part.format(port=port) for part in arguments)
            yield specification.SandboxSpec(f"internet/{name}", argv, entry=entry, mounts=mounts)
        keys = {
            host.names[0]: self._authority.issue(host.names) for host in self._directory.hosts if host.https
        }
        config = json.dumps(servers.build_bootstrap(self._directory, keys))
        argv = (
            *(str(self._envoy), "-c", _CONFIG),
            *("--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"),
        )
        yield specification.SandboxSpec("internet/envoy", argv, mounts=mounts, files={_CONFIG: config})

    def _note(self, why: str) -> None:
        self._failure = findings.Finding(
            code="BM0342",
            message=f"the simulated Internet does not run: {why}",
            where=str(self._log_path),
            hint="names outside the cluster have addresses, but nothing answers there; see the log",
        )
        _log.error("%s", self._failure.render())


def _hand_connections_over() -> None:
    """Have connections that wait in a closing socket go to another one on the same port; Linux 5.14 and later."""
    with contextlib.suppress(FileNotFoundError):
        Path("/proc/sys/net/ipv4/tcp_migrate_req").write_text("1")


async def _wait_for_port(namespace: NetworkNamespace, port: int) -> None:
    loop = asyncio.get_running_loop()
    while True:
        made = await asyncio.to_thread(namespace.socket)
        with made:
            try:
                await loop.sock_connect(made, ("127.0.0.1", port))
            except OSError:
                await asyncio.sleep(_LOOK_AGAIN_S)
            else:
                return


async def _first_end(processes: list[Process]) -> None:
    """Wait until one of them ends; SandboxError when the fork server does."""
    tasks = [asyncio.create_task(process.wait()) for process in processes]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)
