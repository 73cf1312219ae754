"""Sessions of processes: what a command and its children form together, read from /proc."""

from __future__ import annotations

import os
import signal


def members(session: int) -> set[int]:
    """Find the pids of a session; one that has ended but is not yet collected is no member."""
    found = set()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended in between
        state, of_session = fields[0], int(fields[3])
        if of_session == session and state not in b"ZX":
            found.add(int(name))
    return found


def kill_all(session: int) -> None:
    """Kill every process of a session, looking again for children that one made just before its signal arrived."""
    killed: set[int] = set()
    while found := members(session) - killed:
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        killed |= found
