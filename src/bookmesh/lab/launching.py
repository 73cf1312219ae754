"""
Start and end a lab from a command.

`start` is idempotent: one lock per lab makes two `up`s take turns, and the second finds the lab running. The lab
process is detached: it keeps no terminal and outlives the command.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bookmesh.base import findings
from bookmesh.lab import audits, conflicts, extents, labs, paths, progress, removing

STOP_GRACE_S = 8.0
PATIENCE_S = 60.0


def start(
    lab: paths.LabPaths,
    *,
    port: int | None,
    extent: extents.Extent = extents.Extent.MESH,
    patience_s: float = PATIENCE_S,
    real_internet: bool | None = None,
    hosts: str | None = None,
    size: Mapping[str, str] | None = None,
    audit: audits.Wanted | None = None,
    lifeline: int | None = None,
    on_step: Callable[[str], None],
    on_serving: Callable[[], None] = lambda: None,
) -> tuple[labs.LabSettings, bool]:
    """
    Bring the lab up, or find it running.

    Args:
        port: of the API server; None means the one it had, or a free one.
        patience_s: how long the ingress gateway may take.
        real_internet: whether pods reach the real Internet; None means as before, at first not.
        hosts: YAML of hosts that the simulated Internet has besides its own; None means those it had.
        size: what the node offers in place of what the machine has, `cpu` and `memory`; None means as before.
        audit: what is written down of requests, and where; None means as before, at first nothing.
        lifeline: read end of a pipe; the lab ends when the other end is closed, however that comes about.
        on_serving: called once, when kubectl can be used; a lab that starts may not be all up then.

    Returns:
        The settings in force, and whether this call started the lab.

    Raises:
        BookmeshError: it cannot start; it runs already with other settings (BM0106); it was made with a mesh, or
            without one, unlike what is wanted (BM0140); or its gateway is not ready in time (BM0111), then it stays up.
    """
    with labs.exclusive(lab):
        previous = labs.read_settings(lab)
        if previous and labs.running(lab):
            conflicts.check_running(
                lab, previous, port=port, extent=extent, real_internet=real_internet, hosts=hosts, size=size
            )
            conflicts.check_audit(lab, previous, audit)
            on_serving()
            return previous, False
        if previous:
            conflicts.check_store(lab, previous, extent)
        if half_made := labs.running(lab):
            half_made.end(grace_s=STOP_GRACE_S)
        labs.make_directory(lab)
        if hosts is not None:
            lab.hosts.write_text(hosts)
        if audit is not None:
            lab.audit_policy.write_text(audit.policy)
        arguments = ["--extent", extent, "--timeout", str(patience_s)]
        arguments += ["--port", str(port)] if port is not None else []
        arguments += _lasting_arguments(previous, real_internet=real_internet, size=size, audit=audit)
        _launch(lab, arguments, lifeline=lifeline, on_step=on_step, on_serving=on_serving)
        settings = labs.read_settings(lab)
        if settings is None:
            raise RuntimeError("the lab reported that it is ready and left no settings")
        return settings, True


def _lasting_arguments(
    previous: labs.LabSettings | None,
    *,
    real_internet: bool | None,
    size: Mapping[str, str] | None,
    audit: audits.Wanted | None,
) -> list[str]:
    """What a lab keeps from one time to the next unless something else is asked for."""
    if real_internet is None:
        real_internet = previous is not None and previous.real_internet
    if size is None:
        size = previous.size if previous else {}
    arguments = ["--internet"] if real_internet else []
    for name, quantity in size.items():
        arguments += [f"--node-{name}", quantity]
    if log := str(audit.log) if audit else previous.audit_log if previous else "":
        arguments += ["--audit-log-path", log]
    return arguments


def stop(lab: paths.LabPaths) -> bool:
    """
    End the lab and remove everything it left.

    Returns:
        False when there was nothing to end or remove.
    """
    with labs.exclusive(lab):
        process = labs.running(lab)
        if process:
            process.end(grace_s=STOP_GRACE_S)
        existed = lab.directory.exists()
        if existed:
            removing.remove_tree(lab.directory)
        labs.lock_path(lab).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            lab.directory.parent.rmdir()
        return existed or process is not None


def _launch(
    lab: paths.LabPaths,
    arguments: Sequence[str],
    *,
    lifeline: int | None,
    on_step: Callable[[str], None],
    on_serving: Callable[[], None],
) -> None:
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "bookmesh.lab.daemon", "--name", lab.name, "--progress", str(writer)]
    command += [*arguments, *(["--lifeline", str(lifeline)] if lifeline is not None else [])]
    with lab.log.open("ab") as log:
        launcher = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writer, *([lifeline] if lifeline is not None else [])],
            start_new_session=True,
            cwd="/",
            env=os.environ | {"GRPC_ENABLE_FORK_SUPPORT": "0", "BOOKMESH_HOME": str(lab.directory.parent)},
        )
    os.close(writer)
    try:
        with os.fdopen(reader, "rb") as pipe:
            for message in progress.read(pipe):
                match message:
                    case progress.Step(name):
                        on_step(name)
                    case progress.Serving():
                        on_serving()
                    case progress.Ready():
                        return
    except findings.BookmeshError as error:
        if error.finding.code == "BM0101":
            raise _explained(error) from None
        raise
    except BaseException:
        _kill(lab, launcher)
        raise
    finally:
        launcher.wait()  # it forks the lab process and ends; or has ended, and that is why we are here
    raise findings.BookmeshError(
        findings.Finding(
            code="BM0104",
            message=f'the lab "{lab.name}" ended before it was ready',
            where=str(lab.log),
            known=_last_line(lab.log),
            hint="the log has the whole story; bookmesh doctor checks this machine",
        )
    )


def _kill(lab: paths.LabPaths, launcher: subprocess.Popen[bytes]) -> None:
    """End a lab that somebody no longer wants, wherever it is in its start; returns when it is gone."""
    # The launcher leads a process group, and keeps its number until it is waited for: nobody else's can be hit.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(launcher.pid, signal.SIGKILL)
    launcher.wait()
    if left := labs.running(lab):
        left.end(grace_s=STOP_GRACE_S)


def _explained(error: findings.BookmeshError) -> findings.BookmeshError:
    """What exactly the host does not allow, found out by trying; the error as it is when all trials pass."""
    from bookmesh.kube.sandbox import requirements  # costs more to import than most commands take

    problems = [problem for problem in requirements.check_host() if problem.severity == "error"]
    return findings.BookmeshError(problems[0], exit_code=3) if problems else error


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "the log is empty"
