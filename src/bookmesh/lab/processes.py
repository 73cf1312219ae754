"""Is the lab process there, and is it still the one that wrote the pid file? Pids are those of the host."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path

import orjson


@dataclass(frozen=True, slots=True)
class LabProcess:
    """`started` is field 22 of /proc/PID/stat (clock ticks since boot): a reused pid has another one."""

    pid: int
    started: int

    def is_alive(self) -> bool:
        return _start_time(self.pid) == self.started

    def end(self, *, grace_s: float) -> bool:
        """
        Ask it to stop; kill it when it has not gone after `grace_s`.

        Returns:
            True when it went by itself.
        """
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            if not self.is_alive():
                return True
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            if _is_readable(handle, grace_s):
                return True
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            _is_readable(handle, grace_s)
            return False
        finally:
            os.close(handle)


def write(path: Path, pid: int, *, proc: int | None = None) -> None:
    """
    Record a process that was just started.

    Args:
        proc: a descriptor of the host's /proc, for a process that has another one mounted there by now.

    Raises:
        ProcessLookupError: it has ended already.
    """
    started = _start_time(pid, proc)
    if started is None:
        raise ProcessLookupError(f"process {pid} has ended")
    temporary = path.with_suffix(".new")
    temporary.write_bytes(orjson.dumps({"pid": pid, "started": started}))
    temporary.replace(path)


def read(path: Path) -> LabProcess | None:
    """The recorded process if it still runs, else None."""
    try:
        recorded = orjson.loads(path.read_bytes())
        process = LabProcess(recorded["pid"], recorded["started"])
    except (FileNotFoundError, orjson.JSONDecodeError, KeyError):
        return None
    return process if process.is_alive() else None


def _start_time(pid: int, proc: int | None = None) -> int | None:
    try:
        if proc is None:
            handle = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        else:
            handle = os.open(f"{pid}/stat", os.O_RDONLY, dir_fd=proc)
        with os.fdopen(handle) as file:
            stat = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] == "Z" else int(fields[19])


def _is_readable(handle: int, timeout_s: float) -> bool:
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    return bool(poller.poll(timeout_s * 1000))
