"""
The fork server: a small program with one thread that makes sandboxes out of forks of itself.

    python -m bookmesh.kube.sandbox.forkserver FD [MODULE ...]

It reads requests from the SOCK_SEQPACKET socket FD, each a JSON object with file descriptors (see `forking`), after
importing the modules, so that its forks have them already. It replies when a command was executed or could not be,
and reports the end of each process it started. It ends when the other side hangs up, and kills all it started.

A process enters its PID namespace by being forked while the server's children go there (`unshare` or `setns`, then
back), so that each one is the server's own child and needs no second fork.
"""

from __future__ import annotations

import array
import fcntl
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import termios
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from bookmesh.kube.sandbox import image_roots, pausing, programs, roots, syscalls
from bookmesh.kube.sandbox.syscalls import CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS

_MESSAGE_BYTES: Final = 65_536
_MOST_FDS: Final = 5
_PRIVILEGES: Final = ("capabilities", "no_new_privileges")
_WHOLE_USER_NAMESPACE: Final = 2**32 - 1

Request = dict[str, Any]
Job = Callable[[], NoReturn]


@dataclass(frozen=True, slots=True)
class _Starting:
    """A forked process that has not become its program yet; it writes what went wrong to a pipe, or closes it."""

    request_id: int
    pid: int
    pidfd: int


class Server:
    """The state of the server; `serve` returns in a forked process too, with what that one has to call."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._own_pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        with open("/proc/self/uid_map") as file:
            self._in_user_namespace = sum(int(line.split()[2]) for line in file) < _WHOLE_USER_NAMESPACE
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = socket.socketpair()
        self._starting: dict[int, _Starting] = {}  # by the pipe's read end
        self._sandboxes: dict[int, Request] = {}  # by pid: what each may do
        self._children: set[int] = set()

    def serve(self) -> Job | None:
        """Handle requests until the other side hangs up (None), or in a child until it is ready to call a function."""
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno())
        self._selector.register(self._connection, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._woken:
                    self._woken.recv(4096)
                    self._reap()
                elif key.fd in self._starting:
                    self._started(key.fd)
                elif key.fileobj is self._connection:
                    message, fds = self._receive()
                    if not message:
                        self._kill_all()
                        return None
                    job = self._handle(json.loads(message), fds)
                    if job is not None:
                        return job

    def _receive(self) -> tuple[bytes, list[int]]:
        """Read one request; empty at the end."""
        size = socket.CMSG_SPACE(_MOST_FDS * 4)
        try:
            message, rights, _, _ = self._connection.recvmsg(_MESSAGE_BYTES, size, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:
            return b"", []
        received = array.array("i")
        for _level, _kind, data in rights:
            received.frombytes(data)
        fds = received.tolist()
        if message == b"memfd":
            with open(fds.pop(), "rb") as file:
                file.seek(0)
                message = file.read()
        return message, fds

    def _handle(self, request: Request, fds: list[int]) -> Job | None:
        """Fork for one request. Returns a job in the child of an entry, None in the server."""
        target = -1
        errors, told = os.pipe()
        try:
            if request["pid"] is not None:
                if request["pid"] not in self._sandboxes:
                    raise ProcessLookupError(3, "the sandbox has ended")
                if request["operation"] == "execute":
                    request |= self._sandboxes[request["pid"]]
                target = os.pidfd_open(request["pid"])
                fds.append(target)
            pid = self._fork(target)
        except OSError as error:
            os.close(errors)
            os.close(told)
            self._send({"id": request["id"], "error": str(error.strerror), "command_failed": False})
        else:
            if pid == 0:
                os.close(errors)
                return self._become(request, fds, told)
            os.close(told)
            self._children.add(pid)
            if request["operation"] == "run":
                self._sandboxes[pid] = {key: request[key] for key in _PRIVILEGES}
            self._starting[errors] = _Starting(request["id"], pid, os.pidfd_open(pid))
            self._selector.register(errors, selectors.EVENT_READ)
        for fd in fds:
            os.close(fd)
        return None

    def _fork(self, target: int) -> int:
        """Fork into a new PID namespace, or into the one of the process behind the pidfd `target`."""
        if target >= 0:
            syscalls.setns(target, CLONE_NEWPID)
        else:
            syscalls.unshare(CLONE_NEWPID)
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid != 0:
                syscalls.setns(self._own_pid_namespace, CLONE_NEWPID)
        return pid

    def _become(self, request: Request, fds: list[int], told: int) -> Job | None:
        """In the child: enter namespaces and root, then execute, or return what is to be called."""
        try:
            os.setsid()
            if request["operation"] == "run":
                self._enter_new_sandbox(request, fds[0])
                stdin = fds[3] if request["stdin"] else os.open("/dev/null", os.O_RDONLY)
                stdio = (stdin, fds[1], fds[2])
            else:
                syscalls.setns(fds[-1], CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)
                stdio = (fds[0], fds[1], fds[2])
            self._keep_only(stdio, told)
            if request.get("tty"):
                _take_terminal()
            programs.settle(
                cwd=request["cwd"],
                uid=request["uid"],
                gid=request["gid"],
                groups=request["groups"],
                **{key: request[key] for key in _PRIVILEGES},
            )
            if not request.get("entry"):
                programs.execute(request["argv"], request["env"])
        except BaseException as error:  # whatever it is, this process must not go on as a second server
            _tell_and_exit(told, error)
        os.close(told)
        return lambda: programs.call(request["entry"], request["argv"], request["env"])

    def _enter_new_sandbox(self, request: Request, netns: int) -> None:
        syscalls.setns(netns, CLONE_NEWNET)
        syscalls.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC)
        syscalls.set_hostname(request["hostname"])
        what = {"mounts": request["mounts"], "files": request["files"]}
        if request["layers"]:
            image_roots.enter(
                request["layers"],
                **what,
                cwd=request["cwd"],
                read_only=request["read_only"],
                volumes=request["volumes"],
                in_user_namespace=self._in_user_namespace,
            )
        else:
            roots.enter(**what, in_user_namespace=self._in_user_namespace)

    def _keep_only(self, stdio: tuple[int, int, int], told: int) -> None:
        """Let go of all that is the server's: a function that is called here lives on with these objects."""
        signal.set_wakeup_fd(-1)
        self._selector.close()
        for used in (self._connection, self._woken, self._wake):
            used.close()
        for number, fd in enumerate(stdio):
            os.dup2(fd, number)
        os.closerange(3, told)
        os.closerange(told + 1, os.sysconf("SC_OPEN_MAX"))

    def _started(self, errors: int) -> None:
        """Answer a request: its process has closed the pipe, having written what went wrong or nothing."""
        with open(errors, "rb") as pipe:
            failure = pipe.read()
        self._selector.unregister(errors)
        starting = self._starting.pop(errors)
        if failure:
            self._children.discard(starting.pid)
            self._sandboxes.pop(starting.pid, None)
            os.waitpid(starting.pid, 0)
            self._send({"id": starting.request_id} | json.loads(failure))
        else:
            self._send({"id": starting.request_id, "pid": starting.pid}, starting.pidfd)
        os.close(starting.pidfd)

    def _reap(self) -> None:
        """Collect what has ended, orphans too; report our own children, after the reply that tells their pid."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            answered = [errors for errors, starting in self._starting.items() if starting.pid == ended.si_pid]
            if answered:
                self._started(answered[0])
                continue
            _, status = os.waitpid(ended.si_pid, 0)
            if ended.si_pid in self._children:
                self._children.discard(ended.si_pid)
                self._sandboxes.pop(ended.si_pid, None)
                self._send({"exited": ended.si_pid, "status": os.waitstatus_to_exitcode(status)})

    def _send(self, message: dict[str, Any], fd: int = -1) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))] if fd >= 0 else []
        try:
            self._connection.sendmsg([json.dumps(message).encode()], rights)
        except (BrokenPipeError, ConnectionResetError):
            return  # the other side is gone; the next read says so and ends the server

    def _kill_all(self) -> None:
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
        for pid in self._children:
            os.waitpid(pid, 0)


def _take_terminal() -> None:
    """Make stdin's terminal the controlling one, so that its keys send signals to this session."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _tell_and_exit(told: int, error: BaseException) -> NoReturn:
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    answer = {"error": text, "command_failed": isinstance(error, programs.CommandError)}
    os.write(told, json.dumps(answer).encode())
    os._exit(127)


def _preload(modules: list[str]) -> str:
    """Import what forks will need, and keep the garbage collector off it; the text says what is wrong."""
    gc.disable()
    for module in (pausing.__name__, *modules):
        try:
            importlib.import_module(module)
        except ImportError as error:
            return f"the fork server cannot import {module}: {error}"
        if threading.active_count() > 1 or len(os.listdir("/proc/self/task")) > 1:
            return f"the fork server cannot preload {module}: it starts threads, which a fork would lose"
    gc.freeze()
    return ""


def main() -> None:
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
    problem = _preload(sys.argv[2:])
    if problem:
        connection.send(json.dumps({"fatal": problem}).encode())
        sys.exit(1)
    job = Server(connection).serve()
    if job is not None:
        job()


if __name__ == "__main__":
    main()
