"""
The lab process: `python -m bookmesh.lab.daemon`, started by `launching` and by nobody else.

Order matters here. Namespaces come first, while there is one thread; the fork server comes next, so that it warms up
while this process imports the rest; then the event loop.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, NoReturn

from bookmesh.base import findings
from bookmesh.lab import extents, labs, paths, plans, processes, progress

if TYPE_CHECKING:
    from bookmesh.kube.sandbox import forking

PRELOAD = ("bookinfo.preload", "bookmesh.lab.standins.httpbin")
_log = logging.getLogger(__name__)


def main() -> None:
    """Become the lab process and run until asked to stop."""
    gc.disable()  # until all is imported: hardly anything of that is garbage
    arguments = _parse_arguments()
    lab = paths.paths_for(arguments.name)
    extent = extents.Extent(arguments.extent)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    logging.getLogger("cel").setLevel(logging.ERROR)  # it warns of every value that a rule does not like
    reporter = progress.Reporter(arguments.progress)
    if extent.has_node:
        forkserver = _enter_namespaces(lab, reporter)
    else:
        forkserver = None
        _detach(lab)
    reporter.step("programs")
    # Imported late on purpose: the fork server warms up meanwhile, and a host that cannot run a lab is told at once.
    import uvloop

    from bookmesh.lab import hosting

    try:
        work = _wired(lab, extent, arguments, forkserver=forkserver, reporter=reporter)
        hosting.spare_collector()
        uvloop.run(work)
    except findings.BookmeshError as error:
        _log.error("%s", error.finding.render())
        reporter.failed(error)
        sys.exit(error.exit_code)
    except BaseException:
        _log.exception("the lab ends because a part of it failed")
        sys.exit(1)


def _enter_namespaces(lab: paths.LabPaths, reporter: progress.Reporter) -> forking.ForkServer:
    """Become PID 1 of namespaces of our own, with a fork server beside."""
    from bookmesh.kube.sandbox import forking, namespaces  # a lab without a node needs none

    reporter.step("namespaces")
    host_proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    try:
        namespaces.enter_lab_namespaces(lambda pid: processes.write(lab.pid, pid, proc=host_proc))
    except OSError as error:
        _refuse(reporter, error)
    os.close(host_proc)
    namespaces.install_reaper()
    return forking.ForkServer.start(preload=PRELOAD)


def _detach(lab: paths.LabPaths) -> None:
    """Go on in a child, which needs nothing of the host, while the process that was started ends."""
    child = os.fork()
    if child:
        processes.write(lab.pid, child)
        os._exit(0)


def _wired(
    lab: paths.LabPaths,
    extent: extents.Extent,
    arguments: argparse.Namespace,
    *,
    forkserver: forking.ForkServer | None,
    reporter: progress.Reporter,
) -> Coroutine[Any, Any, None]:
    """What runs until the end. Each half of a lab costs imports that the other does without."""
    plan = plans.Plan(
        extent=extent,
        port=arguments.port,
        real_internet=arguments.internet,
        size=_size(arguments),
        previous=labs.read_settings(lab),
        audit_log=arguments.audit_log_path,
    )
    if extent is extents.Extent.MESH and forkserver is not None:
        from bookmesh.lab import wiring

        return wiring.run(lab, plan, patience_s=arguments.timeout, forkserver=forkserver, reporter=reporter)
    from bookmesh.lab import kube_wiring

    return kube_wiring.run(lab, plan, lifeline=arguments.lifeline, forkserver=forkserver, reporter=reporter)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bookmesh.lab.daemon")
    parser.add_argument("--name", required=True)
    parser.add_argument("--progress", type=int, required=True, help="file descriptor that reports go to")
    parser.add_argument("--extent", required=True, choices=list(extents.Extent))
    parser.add_argument("--port", type=int)
    parser.add_argument("--timeout", type=float, required=True, help="seconds that the gateway may take")
    parser.add_argument("--internet", action="store_true", help="let pods reach the real Internet")
    parser.add_argument("--node-cpu", help="CPUs that the node offers")
    parser.add_argument("--node-memory", help="memory that the node offers")
    parser.add_argument("--audit-log-path", default="", help="file that requests are written to")
    parser.add_argument("--lifeline", type=int, help="file descriptor of a pipe: the lab ends when it closes")
    return parser.parse_args()


def _size(arguments: argparse.Namespace) -> dict[str, str]:
    given = {"cpu": arguments.node_cpu, "memory": arguments.node_memory}
    return {name: quantity for name, quantity in given.items() if quantity}


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
