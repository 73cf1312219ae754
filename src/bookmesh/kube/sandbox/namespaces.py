"""
Namespaces without a helper program: the lab's own, and network namespaces that a file descriptor keeps alive.

A network namespace belongs to a thread, so making one or working inside one takes a thread of its own; what such a
thread opens (sockets, files of /proc/sys/net) stays with that namespace and can be used from anywhere.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Final, NoReturn, TypeVar

from bookmesh.kube.sandbox import syscalls

T = TypeVar("T")
_UNPRIVILEGED_PORTS: Final = "/proc/sys/net/ipv4/ip_unprivileged_port_start"


class NetworkNamespace:
    """
    A network namespace, alive while this object is open or a process is inside.

    `fd` can be given to `ForkServer.run` and to system calls; it stays owned by this object.
    """

    def __init__(self, fd: int) -> None:
        """Take over `fd`, an open namespace file."""
        self.fd = fd

    @classmethod
    def create(cls) -> NetworkNamespace:
        """
        Make an empty namespace: a loopback interface that is down, and nothing else.

        Raises:
            OSError: EPERM without CAP_SYS_ADMIN in this user namespace, ENOSPC at the limit of namespaces.
        """

        def make() -> int:
            syscalls.unshare(syscalls.CLONE_NEWNET)
            # As in containers everywhere: who has no capabilities serves on port 80 all the same. Where a host does not
            # let us say so, those have to take another port.
            with contextlib.suppress(OSError), open(_UNPRIVILEGED_PORTS, "w") as file:
                file.write("0")
            return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

        return cls(_in_thread(make))

    def run(self, function: Callable[[], T]) -> T:
        """Call `function` in a thread inside this namespace and wait for it; its exception is raised here."""

        def enter() -> T:
            syscalls.setns(self.fd, syscalls.CLONE_NEWNET)
            return function()

        return _in_thread(enter)

    def socket(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """Make an IPv4 socket of this namespace, non-blocking, for use from any thread; the caller closes it."""

        def make() -> socket.socket:
            protocol = (
                socket.IPPROTO_TCP if kind == socket.SOCK_STREAM else 0
            )  # named, so that asyncio sets NODELAY
            made = socket.socket(socket.AF_INET, kind, protocol)
            made.setblocking(False)
            return made

        return self.run(make)

    def close(self) -> None:
        """Let go of the namespace; closing twice does nothing."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def enter_lab_namespaces(report: Callable[[int], None]) -> None:
    """
    Fork; the child returns as PID 1 of a PID namespace with private mounts and its own /proc, the parent ends.

    An ordinary user also gets a user namespace, in which they are uid 0 and nobody else exists. The network stays
    the host's. All processes and mounts made by the child and its children vanish with the child. The parent calls
    `report` with the child's pid as the host sees it, once the child is ready, and exits with 0 without running
    any clean-up of this interpreter. Must be called while this process has one thread only.

    Raises:
        OSError: in the parent alone, which goes on living: the host does not allow it. `requirements.check_host`
            says why. The process then is in half-made namespaces and should only tell and exit.
    """
    enter_user_namespace()
    syscalls.unshare(syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID)
    outcome, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(outcome)
        _become_init(told)
        return
    os.close(told)
    with os.fdopen(outcome, "rb") as pipe:
        refusal = pipe.read().decode()
    if refusal != "ready":
        os.waitpid(child, 0)
        number, _, text = refusal.partition(" ")
        raise OSError(int(number or 0), text or "the process in the new namespaces ended at once")
    report(child)
    os._exit(0)


def enter_user_namespace() -> None:
    """
    Make an ordinary user uid 0 of a user namespace in which nobody else exists; root stays as it is.

    Must be called while this process has one thread only.

    Raises:
        OSError: the host does not allow user namespaces, or not to this program.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        return
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def install_reaper() -> None:
    """
    Make PID 1 collect every child that ends, as orphans of the whole namespace become its children.

    It works under any event loop (uvloop refuses a handler of its own for SIGCHLD), from the main thread. It takes
    exit codes away from `subprocess`: a lab starts programs through the fork server only.
    """

    def reap(_number: int, _frame: object) -> None:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            return

    signal.signal(signal.SIGCHLD, reap)


def mapped_ids() -> int:
    """Count the uids that exist in this process's user namespace: 1 for an ordinary user's lab, 2**32 - 1 for root."""
    with open("/proc/self/uid_map") as file:
        return sum(int(line.split()[2]) for line in file)


def _become_init(told: int) -> None:
    """Finish in the child: private mounts and a /proc of the new PID namespace; tell the parent how it went."""
    try:
        os.setsid()
        syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
        flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
        syscalls.mount("proc", "/proc", "proc", flags)
    except OSError as error:
        _tell_and_exit(told, f"{error.errno} {error.strerror}")
    os.write(told, b"ready")
    os.close(told)


def _tell_and_exit(told: int, text: str) -> NoReturn:
    os.write(told, text.encode())
    os._exit(1)


def _in_thread(function: Callable[[], T]) -> T:
    """Run in a throw-away thread, so that the namespaces it enters are no other thread's."""
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # raised again in the calling thread
            failures.append(error)

    thread = threading.Thread(target=run, name="network-namespace")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]
