"""
The name under which Helm's library writes.

Helm owns the fields that it applies, under the name of the program: `helm`. In a program of Python's the library is
called `python`, and `helm rollback` after `bookmesh release apply` would be a conflict, as would be the way back. So a
command that writes begins anew in a process that is called helm. The library reads the name when it is loaded, from the
arguments that the kernel gave to the process; nothing that is said later counts. See ADR 0027.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

OWNER: Final = "helm"
_WRITING: Final = (["release", "apply"], ["release", "rollback"])
_BEGIN: Final = (
    "import sys; sys.executable, sys.path[:] = {interpreter!r}, {path!r}; "
    "from bookmesh.cli import main; main.main(prog_name='bookmesh')"
)


def begin_anew(arguments: Sequence[str]) -> None:
    """Replace this process by one called helm, when the command writes with Helm."""
    if list(arguments[:2]) in _WRITING:
        os.execv(sys.executable, command(sys.executable, sys.path, arguments))  # noqa: S606


def command(interpreter: str, path: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """
    The same command of the same interpreter, with the same modules, under another name.

    The name is a path beside the interpreter's, since Python looks for its virtual environment there; no such file has
    to be.
    """
    name = str(Path(interpreter).with_name(OWNER))
    return [name, "-P", "-c", _BEGIN.format(interpreter=interpreter, path=list(path)), *arguments]
