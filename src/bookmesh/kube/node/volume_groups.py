"""Give what is in a volume to the group of its pod (`fsGroup`), as the kubelet does."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

_READ: Final = 0o440
_WRITE: Final = 0o660
_ENTER: Final = 0o110


def give(path: Path, gid: int, *, read_only: bool) -> None:
    """
    Let members of the group read all files, and write them unless `read_only`; new files belong to the group too.

    Symbolic links are left alone: what they lead to is in the volume, or none of ours.
    """
    allowed = _READ if read_only else _WRITE
    for directory, _, files in os.walk(path):
        os.chown(directory, -1, gid)
        mode = stat.S_IMODE(os.stat(directory).st_mode)
        os.chmod(directory, mode | allowed | _ENTER | stat.S_ISGID)
        for name in files:
            file = os.path.join(directory, name)
            if not os.path.islink(file):
                os.chown(file, -1, gid)
                os.chmod(file, stat.S_IMODE(os.stat(file).st_mode) | allowed)
