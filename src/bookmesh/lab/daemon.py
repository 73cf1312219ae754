"""
The lab process: `python -m bookmesh.lab.daemon`, started by `launching` and by nobody else.

Order matters here. Namespaces come first, while there is one thread; the fork server comes next, so that it warms up
while this process imports the rest; then the event loop.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from typing import NoReturn

from bookmesh.base import findings
from bookmesh.kube.sandbox import forking, namespaces
from bookmesh.lab import launching, paths, processes, progress

PRELOAD = ("bookinfo.preload", "bookmesh.lab.standins.httpbin")
_log = logging.getLogger(__name__)


def main() -> None:
    """Become the lab process and run until asked to stop."""
    arguments = _parse_arguments()
    lab = paths.paths_for(arguments.name)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    reporter = progress.Reporter(arguments.progress)
    reporter.step("namespaces")
    host_proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    try:
        namespaces.enter_lab_namespaces(lambda pid: processes.write(lab.pid, pid, proc=host_proc))
    except OSError as error:
        _refuse(reporter, error)
    os.close(host_proc)
    namespaces.install_reaper()
    forkserver = forking.ForkServer.start(preload=PRELOAD)
    reporter.step("programs")
    # Imported late on purpose: the fork server warms up meanwhile, and a host that cannot run a lab is told at once.
    import uvloop

    from bookmesh.lab import wiring

    try:
        uvloop.run(
            wiring.run(
                lab,
                port=arguments.port,
                real_internet=arguments.internet,
                previous=launching.read_settings(lab),
                patience_s=arguments.timeout,
                forkserver=forkserver,
                reporter=reporter,
            )
        )
    except findings.BookmeshError as error:
        _log.error("%s", error.finding.render())
        reporter.failed(error)
        sys.exit(error.exit_code)
    except BaseException:
        _log.exception("the lab ends because a part of it failed")
        sys.exit(1)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bookmesh.lab.daemon")
    parser.add_argument("--name", required=True)
    parser.add_argument("--progress", type=int, required=True, help="file descriptor that reports go to")
    parser.add_argument("--port", type=int)
    parser.add_argument("--timeout", type=float, required=True, help="seconds that the gateway may take")
    parser.add_argument("--internet", action="store_true", help="let pods reach the real Internet")
    return parser.parse_args()


def _refuse(reporter: progress.Reporter, error: OSError) -> NoReturn:
    """Tell that the host does not allow it; the command that started us finds out why (this process can no more)."""
    finding = findings.Finding(
        code="BM0101",
        message=f"the host does not allow the namespaces a lab needs: {error}",
        hint="bookmesh doctor checks this machine",
    )
    reporter.failed(findings.BookmeshError(finding, exit_code=3))
    sys.exit(3)


if __name__ == "__main__":
    main()
