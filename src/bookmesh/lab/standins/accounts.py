"""Users that a program of the host expects to exist, in a sandbox that knows root alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_CLONE_NEWUSER: Final = 0x10000000


def can_become(uid: int) -> bool:
    """Whether the user namespace knows this uid; that of an ordinary user's lab knows one, which is 0."""
    ranges = Path("/proc/self/uid_map").read_text().split()
    starts, counts = ranges[::3], ranges[2::3]
    return any(
        int(start) <= uid < int(start) + int(count) for start, count in zip(starts, counts, strict=True)
    )


def add(root: Path, name: str, uid: int) -> None:
    """Make user and group known below `root`, if they are not."""
    for file, line in (
        ("passwd", f"{name}:x:{uid}:{uid}:{name}:/nonexistent:/bin/false"),
        ("group", f"{name}:x:{uid}:"),
    ):
        path = root / "etc" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text() if path.exists() else ""
        if not any(known.startswith(f"{name}:") for known in text.splitlines()):
            path.write_text(f"{text}{line}\n")


def be_called(uid: int) -> None:
    """
    Have this process, which is uid 0, see itself as `uid`, for a program that refuses to be root.

    Files it makes still belong to the user that uid 0 stands for. Must be called while there is one thread.

    Raises:
        OSError: the host does not allow it.
    """
    libc_unshare(_CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} 0 1"), ("gid_map", f"{uid} 0 1")):
        Path(f"/proc/self/{name}").write_text(text)


def libc_unshare(flags: int) -> None:
    """`os.unshare`, which Python has from 3.12 on."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
