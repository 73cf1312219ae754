"""
Scenarios that need a PID namespace, mounts and a network of their own: each runs in a fresh process that enters them.

A test file calls `run(__file__, "name")` in its tests, and `main(globals())` when it is itself started as a program;
then the coroutine function `name` runs, as it would in a lab, for root and for an ordinary user alike.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from typing import Any

import uvloop

from bookmesh.kube.sandbox import forking, namespaces

_PASSED = "the scenario passed"


def run(file: str, scenario: str) -> None:
    """Run one scenario of a test file; what it printed is in the failure."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", file, scenario],
        capture_output=True,
        text=True,
        timeout=110,
        env=environment,
        check=False,
    )
    assert done.stdout.endswith(f"{_PASSED}\n"), done.stdout + done.stderr


def main(scenarios: Mapping[str, Any]) -> None:
    """Enter the lab's namespaces and run the scenario named on the command line, as their first process."""
    namespaces.enter_lab_namespaces(lambda _pid: None)
    namespaces.install_reaper()
    server = forking.ForkServer.start(preload=["json.tool"])

    async def play() -> None:
        server.attach(asyncio.get_running_loop())
        await scenarios[sys.argv[1]](server)

    try:
        uvloop.run(play())
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    server.close()
    sys.stdout.write(f"{_PASSED}\n")
    sys.stdout.flush()
    os._exit(0)
