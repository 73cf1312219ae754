"""
The asyncio side of the fork server: start sandboxes, run commands inside them, learn how they ended.

    server = ForkServer.start(preload=["bookinfo.main"])    # before any thread or event loop exists
    server.attach(asyncio.get_running_loop())
    process = await server.run(spec, netns=namespace.fd, stdout=out, stderr=out)
    exit = await process.wait()

One reply comes back for each request, and one notice for each process that ends. When the server itself ends, all
that wait get a SandboxError: the lab cannot go on without it.
"""

from __future__ import annotations

import array
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bookmesh.kube.sandbox import namespaces, sessions
from bookmesh.kube.sandbox.specification import SandboxSpec

INLINE_BYTES: Final = (
    32_768  # larger requests travel in a memfd: a datagram must fit into the socket's buffer
)
_MESSAGE_BYTES: Final = 65_536


class SandboxError(Exception):
    """
    A sandbox could not be made or a command not be started; the text is fit for a user.

    `command_failed` tells a command that cannot be executed (`exec: "foo": executable file not found in $PATH`) from
    a failed set-up.
    """

    def __init__(self, message: str, *, command_failed: bool = False) -> None:
        super().__init__(message)
        self.command_failed = command_failed


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended. `code` is 128 + n when signal n ended it."""

    code: int
    signal: int | None = None


class Process:
    """A started process. `pid` is its pid in this process's PID namespace; it may have ended already."""

    def __init__(self, pid: int, pidfd: int, exited: asyncio.Future[Exit]) -> None:
        self.pid = pid
        self._pidfd = pidfd
        self._exited = exited
        exited.add_done_callback(self._release)

    async def wait(self) -> Exit:
        """Wait for the end, from as many tasks as you like; SandboxError when the fork server ended."""
        return await asyncio.shield(self._exited)

    @property
    def exit(self) -> Exit | None:
        """The end, when it is known already."""
        done = self._exited.done() and not self._exited.cancelled() and self._exited.exception() is None
        return self._exited.result() if done else None

    def signal(self, number: int) -> None:
        """
        Send a signal to this one process; nothing happens when it has ended.

        The first process of a sandbox gets no signal but SIGKILL and SIGSTOP that it has no handler for, as in any
        container.
        """
        if self._pidfd >= 0:
            try:
                signal.pidfd_send_signal(self._pidfd, number)
            except ProcessLookupError:
                return

    def end_session(self) -> None:
        """Kill this process and all others of its session, including those that outlived it; for `execute`."""
        self.signal(signal.SIGKILL)
        sessions.kill_all(self.pid)

    def _release(self, exited: asyncio.Future[Exit]) -> None:
        if not exited.cancelled():
            exited.exception()  # mark as seen: nobody has to wait for a process
        os.close(self._pidfd)
        self._pidfd = -1


class ForkServer:
    """The running server. `can_change_user`: whether `uid` and `gid` of a specification are obeyed."""

    def __init__(self, program: subprocess.Popen[bytes], connection: socket.socket) -> None:
        self.can_change_user = os.geteuid() == 0 and namespaces.mapped_ids() > 1
        self._program = program
        self._connection = connection
        self._loop: asyncio.AbstractEventLoop | None = None
        self._requests = 0
        self._replies: dict[int, asyncio.Future[Process]] = {}
        self._exits: dict[int, asyncio.Future[Exit]] = {}
        self._sending = asyncio.Lock()
        self._ended = False

    @classmethod
    def start(cls, *, preload: Sequence[str]) -> ForkServer:
        """
        Start the server program; modules of `preload` are imported there while this call returns already.

        It runs this interpreter with this process's `sys.path`, in a session of its own, and ends with this process.
        Whatever is wrong with `preload` (a missing module, one that starts threads) is a line on stderr and the
        server's end.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
            environment |= {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
            number = str(theirs.fileno())
            program = subprocess.Popen(
                [sys.executable, "-P", "-m", "bookmesh.kube.sandbox.forkserver", number, *preload],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        ours.setblocking(False)
        return cls(program, ours)

    @property
    def pid(self) -> int:
        return self._program.pid

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read replies on `loop`; every other method then belongs to this loop."""
        self._loop = loop
        loop.add_reader(self._connection.fileno(), self._read)

    async def run(
        self,
        spec: SandboxSpec,
        *,
        netns: int,
        stdin: int | None = None,
        stdout: int,
        stderr: int,
        tty: bool = False,
        beside: int | None = None,
    ) -> Process:
        """
        Start a sandbox; its first process is the command (or entry) of `spec` as PID 1.

        Standard input is empty without `stdin`. With `tty`, `stdin` is the terminal's (slave) side of a pty that the
        caller made; it becomes the controlling terminal. The file descriptors stay the caller's. When the call returns
        the command has been executed, or the entry is about to be called. With `beside`, the pid of the first process
        of a running sandbox, the two share their processes: it is no PID 1 then, and ends with the other one.

        Raises:
            SandboxError: a mount failed, or the command cannot be executed; nothing is left running.
        """
        request: dict[str, Any] = {"operation": "run", "argv": list(spec.argv), "env": dict(spec.env)}
        request |= {
            "cwd": spec.cwd,
            "hostname": spec.hostname,
            "files": dict(spec.files),
            "entry": spec.entry,
        }
        request["mounts"] = [[mount.source, mount.target, mount.read_only] for mount in spec.mounts]
        request["layers"] = list(spec.root.layers) if spec.root else []
        request["volumes"] = list(spec.root.volumes) if spec.root else []
        request["read_only"] = spec.root is not None and spec.root.read_only
        request |= {"stdin": stdin is not None, "tty": tty, "pid": beside}
        request |= self._user(spec.uid, spec.gid, spec.groups)
        request |= {"capabilities": spec.capabilities, "no_new_privileges": spec.no_new_privileges}
        return await self._start(request, [netns, stdout, stderr] + ([] if stdin is None else [stdin]))

    async def execute(
        self,
        pid: int,
        *,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: str,
        uid: int | None,
        gid: int | None,
        groups: Sequence[int],
        stdin: int,
        stdout: int,
        stderr: int,
        tty: bool,
    ) -> Process:
        """
        Start a command in the running sandbox whose first process is `pid`, as leader of a session of its own.

        With `tty`, `stdin` is the terminal's (slave) side of a pty that the caller made; it becomes the controlling
        terminal. The file descriptors stay the caller's.

        Raises:
            SandboxError: the sandbox has ended, or the command cannot be executed.
        """
        request: dict[str, Any] = {"operation": "execute", "pid": pid, "argv": list(argv), "env": dict(env)}
        request |= {"cwd": cwd, "tty": tty} | self._user(uid, gid, groups)
        return await self._start(request, [stdin, stdout, stderr])

    def close(self) -> None:
        """Hang up: the server kills what still runs and ends. Waits for that (a few milliseconds)."""
        self._end("the fork server was closed")
        self._program.wait()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("ForkServer.attach was not called")
        return self._loop

    def _user(self, uid: int | None, gid: int | None, groups: Sequence[int]) -> dict[str, Any]:
        if self.can_change_user:
            return {"uid": uid, "gid": gid, "groups": list(groups)}
        return {"uid": None, "gid": None, "groups": []}

    async def _start(self, request: dict[str, Any], fds: list[int]) -> Process:
        if self._ended:
            raise SandboxError("the fork server has ended")
        self._requests += 1
        request["id"] = self._requests
        reply: asyncio.Future[Process] = self._running_loop().create_future()
        self._replies[self._requests] = reply
        await self._send(json.dumps(request).encode(), fds)
        try:
            return await asyncio.shield(reply)
        except asyncio.CancelledError:
            reply.add_done_callback(_kill_unwanted)
            raise

    async def _send(self, message: bytes, fds: list[int]) -> None:
        """Send one request; a large one goes into a memfd that travels as the last descriptor."""
        memfd = -1
        if len(message) > INLINE_BYTES:
            memfd = os.memfd_create("bookmesh-request")
            with open(memfd, "wb", closefd=False) as file:
                file.write(message)
            message, fds = b"memfd", [*fds, memfd]
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
        try:
            async with self._sending:
                while True:
                    try:
                        self._connection.sendmsg([message], rights)
                        return
                    except BlockingIOError:
                        await self._writable()
        except OSError as error:
            self._end(f"the fork server has ended: {error.strerror}")
        finally:
            if memfd >= 0:
                os.close(memfd)

    async def _writable(self) -> None:
        loop = self._running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_writer(self._connection.fileno(), _settle, ready)
        try:
            await ready
        finally:
            loop.remove_writer(self._connection.fileno())

    def _read(self) -> None:
        while not self._ended:
            try:
                message, rights, _, _ = self._connection.recvmsg(
                    _MESSAGE_BYTES, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            except OSError as error:
                self._end(f"the fork server has ended: {error.strerror}")
                return
            if not message:
                self._end("the fork server has ended")
                return
            fds = array.array("i")
            for _level, _kind, data in rights:
                fds.frombytes(data)
            self._handle(json.loads(message), fds[0] if fds else -1)

    def _handle(self, message: dict[str, Any], pidfd: int) -> None:
        if "fatal" in message:
            self._end(message["fatal"])
            return
        if "exited" in message:
            code = message["status"]
            ended = Exit(code) if code >= 0 else Exit(128 - code, -code)
            self._exits.pop(message["exited"]).set_result(ended)
            return
        reply = self._replies.pop(message["id"])
        if "error" in message:
            reply.set_exception(SandboxError(message["error"], command_failed=message["command_failed"]))
            return
        exited: asyncio.Future[Exit] = self._running_loop().create_future()
        self._exits[message["pid"]] = exited
        reply.set_result(Process(message["pid"], pidfd, exited))

    def _end(self, why: str) -> None:
        """Stop listening and tell all that wait."""
        if self._ended:
            return
        self._ended = True
        listened = self._loop is not None and not self._loop.is_closed()
        if self._loop is not None and listened:
            self._loop.remove_reader(self._connection.fileno())
        self._connection.close()
        waiting: list[asyncio.Future[Any]] = [*self._replies.values(), *self._exits.values()]
        self._replies.clear()
        self._exits.clear()
        for future in waiting:
            if listened and not future.done():
                future.set_exception(SandboxError(why))


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _kill_unwanted(reply: asyncio.Future[Process]) -> None:
    """End a process whose caller was cancelled before it knew of it."""
    if not reply.cancelled() and reply.exception() is None:
        reply.result().signal(signal.SIGKILL)
