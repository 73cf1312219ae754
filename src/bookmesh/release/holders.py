"""Who holds the lock of a namespace, as a text that says so to people and lets this machine see who has died."""

from __future__ import annotations

import getpass
import os
import re
import socket
from typing import Final

_TEXT: Final = re.compile(r".*@(?P<host>[^@ ]+) \(process (?P<process>[0-9]+)\)")


def own() -> str:
    """`ann@laptop (process 4711)`, of this process."""
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"


def is_gone(holder: str) -> bool:
    """
    Whether a holder is known to have ended: a process of this machine that is not there.

    Of another machine's, or one that did not write `own`, nothing is known.
    """
    match = _TEXT.fullmatch(holder)
    if match is None or match["host"] != socket.gethostname():
        return False
    try:
        os.kill(int(match["process"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # somebody else's, and alive
    return False
