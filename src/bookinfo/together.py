"""
All services on one machine, without a mesh: one process each, forked from this one, wired by environment variables.

The sockets listen before anything is forked, so a request that comes while a service starts waits instead of failing.
The parent only waits for signals: SIGTERM or SIGINT ends the services in the order in which they call each other, so
that no request in flight loses a backend; one that ends by itself ends all. A second signal ends them at once.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, NoReturn, Protocol

from bookinfo.service import lifecycle
from bookinfo.service import settings as service_settings

LOOPBACK: Final = "127.0.0.1"
PAGE: Final = "productpage"
ORDER: Final = (PAGE, "reviews", "ratings", "details")
"""Callers before those they call."""

STOPPING: Final = frozenset({signal.SIGTERM, signal.SIGINT})
WATCHED: Final = STOPPING | {signal.SIGCHLD}

TOLERANCE_S: Final = 5.0
"""What a service may take beyond the time that its settings give it for ending."""

PR_SET_PDEATHSIG: Final = 1


class Serve(Protocol):
    """Runs one service in this process until it is told to stop; raises SystemExit."""

    def __call__(self, name: str, variables: Mapping[str, str], *, listener: socket.socket) -> None: ...


@dataclass(frozen=True, slots=True)
class Member:
    """A service to be started; `variables` is its whole environment."""

    name: str
    listener: socket.socket
    variables: Mapping[str, str]


def run(
    serve: Serve,
    variables: Mapping[str, str],
    *,
    host: str,
    port: int | None,
    versions: Mapping[str, str],
) -> int:
    """
    Run all services until a signal says stop. The process must have no other thread and no event loop.

    Args:
        host: address of productpage; the others listen on loopback.
        port: of productpage; None for the setting's. The others' are free ones.
        versions: SERVICE_VERSION by name of service, v1 for those not named.

    Returns:
        The exit code: 0 after an orderly stop, else that of the service that ended first.

    Raises:
        SettingError: a variable that all services have in common has a value that cannot be used.
        ListenError: the address of productpage cannot be listened on.
    """
    common = service_settings.read(service_settings.Environment(variables), PAGE, host=host, port=port)
    with ExitStack() as stack:
        listeners = {
            name: stack.enter_context(
                lifecycle.listen(common.host, common.port) if name == PAGE else lifecycle.listen(LOOPBACK, 0)
            )
            for name in ORDER
        }
        members = build_members(variables, listeners, versions)
        sys.stdout.write(f"Bookinfo: {page_url(listeners[PAGE])}\n")
        sys.stdout.flush()
        old_mask = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        try:
            family = Family({member.name: fork(serve, member, members, old_mask) for member in members})
            stack.close()  # a service that is gone must not seem to listen
            return family.watch(limit_s=common.shutdown_delay_s + common.shutdown_grace_s + TOLERANCE_S)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, old_mask)


def build_members(
    variables: Mapping[str, str], listeners: Mapping[str, socket.socket], versions: Mapping[str, str]
) -> list[Member]:
    """Return the services with environments that make them find each other."""
    shared = {key: value for key, value in variables.items() if key not in {"PORT", "SERVICES_DOMAIN"}}
    shared.setdefault("SHUTDOWN_DELAY_S", "0")  # nobody has to learn that a replica goes away
    for name, listener in listeners.items():
        shared[f"{name.upper()}_HOSTNAME"] = LOOPBACK
        shared[f"{name.upper()}_SERVICE_PORT"] = str(listener.getsockname()[1])
    members = []
    for name, listener in listeners.items():
        version = versions.get(name, "v1")
        own = {"SERVICE_VERSION": version, "HOSTNAME": f"{name}-{version}"}
        members.append(Member(name, listener, shared | own))
    return members


def page_url(listener: socket.socket) -> str:
    """Return the address to open in a browser on this machine."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not listened on
        host = "localhost"
    return f"http://[{host}]:{port}/productpage" if ":" in host else f"http://{host}:{port}/productpage"


def fork(serve: Serve, member: Member, members: Sequence[Member], mask: set[int | signal.Signals]) -> int:
    """Start a service in a process of its own; return its id."""
    parent = os.getpid()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setpgid(0, 0)  # Ctrl-C is for the parent, which ends all in order
        end_with(parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for other in members:
            if other is not member:
                other.listener.close()
        os.environ.clear()
        os.environ.update(member.variables)
        serve(member.name, os.environ, listener=member.listener)
        code = 0
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else 1
    except BaseException:  # nothing of the parent's may run in the child, whatever happens
        traceback.print_exc()
    finally:
        _leave(code)


def end_with(parent: int) -> None:
    """Have the kernel end this process when its parent dies in a way that leaves it no time to; Linux only."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it has died already
        raise SystemExit(1)


def _leave(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class Family:
    """Running services by name, in the order in which they are to end."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)

    def watch(self, *, limit_s: float) -> int:
        """
        Wait for a signal, or for a service that ends by itself; then end all.

        Args:
            limit_s: how long each may take to end before it is killed.

        Returns:
            The exit code.
        """
        while True:
            received = signal.sigwaitinfo(WATCHED)
            if received.si_signo in STOPPING:
                self._end_all(limit_s)
                return 0
            ended = self._reap()
            if ended:
                name, code = next(iter(ended.items()))
                sys.stderr.write(f"bookinfo: {name} has ended with exit code {code}; ending all\n")
                self._end_all(limit_s)
                return code

    def _end_all(self, limit_s: float) -> None:
        for name in list(self._pids):
            if not self._end(name, limit_s):
                break
        for pid in self._pids.values():
            os.kill(pid, signal.SIGKILL)
        for pid in self._pids.values():
            os.waitpid(pid, 0)

    def _end(self, name: str, limit_s: float) -> bool:
        """Ask one service to end and wait for it; False when somebody is out of patience."""
        if name in self._pids:
            os.kill(self._pids[name], signal.SIGTERM)
        deadline = time.monotonic() + limit_s
        while name in self._pids:
            received = signal.sigtimedwait(WATCHED, max(0.0, deadline - time.monotonic()))
            if received is None or received.si_signo in STOPPING:
                return False
            self._reap()
        return True

    def _reap(self) -> dict[str, int]:
        """Forget the services that have ended, and return their exit codes; 128 and more for a signal."""
        ended = {}
        for name, pid in list(self._pids.items()):
            reaped, status = os.waitpid(pid, os.WNOHANG)
            if reaped:
                code = os.waitstatus_to_exitcode(status)
                ended[name] = code if code >= 0 else 128 - code
                del self._pids[name]
        return ended
