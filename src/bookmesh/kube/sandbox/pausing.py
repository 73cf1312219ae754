"""The first process of a sandbox that others share: it collects what they leave behind, and does nothing else."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import NoReturn

ENTRY = "bookmesh.kube.sandbox.pausing:main"


def main() -> NoReturn:
    """Wait for ever; only SIGKILL ends it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
        signal.sigwait({signal.SIGCHLD})
