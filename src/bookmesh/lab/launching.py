"""
Start and end a lab from a command.

`start` is idempotent: one lock per lab makes two `up`s take turns, and the second finds the lab running. The lab
process is detached: it keeps no terminal and outlives the command.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import orjson

from bookmesh.base import findings
from bookmesh.lab import extents, paths, processes, progress, removing

STOP_GRACE_S = 8.0
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class LabSettings:
    """
    What `lab.json` keeps, so that a lab comes back as it was. `port` is that of the API server; with `real_internet`
    pods reach what this machine reaches, without it programs of this machine reach the simulated one by `proxy_port`,
    0 when there is none. `slot` is 0 when no node runs. `size` is what the node offers in place of what its machine
    has.
    """

    port: int
    slot: int
    real_internet: bool = False
    extent: extents.Extent = extents.Extent.MESH
    proxy_port: int = 0
    size: Mapping[str, str] = field(default_factory=dict)


def read_settings(lab: paths.LabPaths) -> LabSettings | None:
    """The settings of a lab that was up before, else None."""
    try:
        raw = orjson.loads(lab.settings.read_bytes())
    except FileNotFoundError:
        return None
    return LabSettings(**raw | {"extent": extents.Extent(raw.get("extent", extents.Extent.MESH))})


def write_settings(lab: paths.LabPaths, settings: LabSettings) -> None:
    """Record the settings that the running lab uses."""
    temporary = lab.settings.with_suffix(".new")
    temporary.write_bytes(orjson.dumps(asdict(settings)))
    temporary.replace(lab.settings)


def running(lab: paths.LabPaths) -> processes.LabProcess | None:
    """The lab's process if it runs."""
    return processes.read(lab.pid)


def running_labs() -> list[str]:
    """Names of all labs that run."""
    return [name for name in paths.lab_names() if running(paths.paths_for(name))]


def require_running(lab: paths.LabPaths) -> LabSettings:
    """
    The settings of a running lab.

    Raises:
        BookmeshError: it does not run (BM0103), or runs while its files were deleted (BM0118).
    """
    settings = read_settings(lab)
    if settings is None or running(lab) is None:
        raise findings.BookmeshError(_not_running(lab))
    if not lab.kubeconfig.exists():
        raise findings.BookmeshError(
            findings.Finding(
                code="BM0118",
                message=f'the lab "{lab.name}" runs, but its kubeconfig was deleted',
                where=str(lab.kubeconfig),
                hint=f'"bookmesh down --name {lab.name}" ends it and removes the rest; then start it again',
            )
        )
    return settings


def _not_running(lab: paths.LabPaths) -> findings.Finding:
    usual = {paths.DEFAULT_NAME: "bookmesh up", paths.KUBE_NAME: "bookmesh kube up"}
    alive = running_labs()
    return findings.Finding(
        code="BM0103",
        message=f'the lab "{lab.name}" is not running',
        known=f"running labs: {', '.join(alive) or 'none'}",
        hint=f"start it: {usual.get(lab.name, f'bookmesh up --name {lab.name}')}",
    )


def make_directory(lab: paths.LabPaths, *, root_only: bool = False) -> None:
    """Make the lab's directory, or only that of all labs, for this user's eyes alone."""
    lab.directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not root_only:
        lab.directory.mkdir(mode=0o700, exist_ok=True)


@contextlib.contextmanager
def exclusive(lab: paths.LabPaths) -> Iterator[None]:
    """Hold the lab's lock: nobody else starts or ends it meanwhile. Waits for whoever holds it."""
    path = _lock_path(lab)
    while True:
        make_directory(lab, root_only=True)
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_still(lock, path):
                yield
                return


def _lock_path(lab: paths.LabPaths) -> Path:
    return lab.directory.parent / f".{lab.name}.lock"


def _is_still(lock: IO[str], path: Path) -> bool:
    """Whether a lock that was waited for is the one that others take: `stop` removes the file."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False


def start(
    lab: paths.LabPaths,
    *,
    port: int | None,
    extent: extents.Extent = extents.Extent.MESH,
    patience_s: float = PATIENCE_S,
    real_internet: bool | None = None,
    hosts: str | None = None,
    size: Mapping[str, str] | None = None,
    lifeline: int | None = None,
    on_step: Callable[[str], None],
    on_serving: Callable[[], None] = lambda: None,
) -> tuple[LabSettings, bool]:
    """
    Bring the lab up, or find it running.

    Args:
        port: of the API server; None means the one it had, or a free one.
        extent: how much of a cluster runs.
        patience_s: how long the ingress gateway may take.
        real_internet: whether pods reach the real Internet; None means as before, at first not.
        hosts: YAML of hosts that the simulated Internet has besides its own; None means those it had.
        size: what the node offers in place of what the machine has, `cpu` and `memory`; None means as before.
        lifeline: read end of a pipe; the lab ends when the other end is closed, however that comes about.
        on_step: called with the name of each step as it begins.
        on_serving: called once, when kubectl can be used; a lab that starts may not be all up then.

    Returns:
        The settings in force, and whether this call started the lab.

    Raises:
        BookmeshError: it cannot start; it runs already with other settings (BM0106); it was made with a mesh, or
            without one, unlike what is wanted (BM0140); or its gateway is not ready in time (BM0111), then it stays up.
    """
    with exclusive(lab):
        settings = read_settings(lab)
        if settings and running(lab):
            _refuse_other(lab, settings, port=port, extent=extent, real_internet=real_internet, hosts=hosts)
            _refuse_other_size(lab, settings, size)
            on_serving()
            return settings, False
        if settings:
            _refuse_other_store(lab, settings, extent)
        if half_made := running(lab):
            half_made.end(grace_s=STOP_GRACE_S)
        make_directory(lab)
        if hosts is not None:
            lab.hosts.write_text(hosts)
        if real_internet is None:
            real_internet = settings is not None and settings.real_internet
        try:
            arguments = ["--extent", extent, "--timeout", str(patience_s)]
            arguments += ["--port", str(port)] if port is not None else []
            arguments += ["--internet"] if real_internet else []
            offered = size if size is not None else settings.size if settings else {}
            arguments += [part for name in offered for part in (f"--node-{name}", offered[name])]
            _launch(lab, arguments, lifeline=lifeline, on_step=on_step, on_serving=on_serving)
        except findings.BookmeshError as error:
            if error.finding.code != "BM0101":
                raise
            raise _explained(error) from None
        settings = read_settings(lab)
        if settings is None:
            raise RuntimeError("the lab reported that it is ready and left no settings")
        return settings, True


def stop(lab: paths.LabPaths) -> bool:
    """
    End the lab and remove everything it left.

    Returns:
        False when there was nothing to end or remove.
    """
    with exclusive(lab):
        process = running(lab)
        if process:
            process.end(grace_s=STOP_GRACE_S)
        existed = lab.directory.exists()
        if existed:
            removing.remove_tree(lab.directory)
        _lock_path(lab).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            lab.directory.parent.rmdir()
        return existed or process is not None


def _refuse_other(
    lab: paths.LabPaths,
    settings: LabSettings,
    *,
    port: int | None,
    extent: extents.Extent,
    real_internet: bool | None,
    hosts: str | None,
) -> None:
    """Raise BookmeshError (BM0106) when a running lab is wanted other than it is."""
    differs = ""
    if extent is not settings.extent:
        differs = f"{settings.extent.described}, not {extent.described}"
    elif port not in (None, settings.port):
        differs = f"with its API server on port {settings.port}, not {port}"
    elif real_internet not in (None, settings.real_internet):
        kinds = ("real", "simulated") if settings.real_internet else ("simulated", "real")
        differs = f"with the {kinds[0]} Internet, not the {kinds[1]} one"
    elif hosts is not None and hosts != (lab.hosts.read_text() if lab.hosts.exists() else ""):
        differs = "with other hosts in its simulated Internet"
    if differs:
        raise findings.BookmeshError(
            findings.Finding(
                code="BM0106",
                message=f'the lab "{lab.name}" is running already, {differs}',
                hint=f'use it as it is, run "bookmesh down --name {lab.name}" first, or use another --name',
            ),
            exit_code=2,
        )


def _refuse_other_size(lab: paths.LabPaths, settings: LabSettings, size: Mapping[str, str] | None) -> None:
    """Raise BookmeshError (BM0147) when a running node is wanted in another size."""
    if size is None or dict(size) == dict(settings.size):
        return
    offered = ", ".join(f"{name} {quantity}" for name, quantity in settings.size.items())
    raise findings.BookmeshError(
        findings.Finding(
            code="BM0147",
            message=f'the node of "{lab.name}" runs already, in another size',
            known=offered or "it is as large as the machine, and requests are not added up",
            hint=f'run "bookmesh down --name {lab.name}" first, or use another --name',
        ),
        exit_code=2,
    )


def _refuse_other_store(lab: paths.LabPaths, settings: LabSettings, extent: extents.Extent) -> None:
    """Raise BookmeshError (BM0140) when objects of a mesh would meet no mesh, or the other way round."""
    has_mesh = settings.extent is extents.Extent.MESH
    if has_mesh is (extent is extents.Extent.MESH):
        return
    again = f"bookmesh up --name {lab.name}" if has_mesh else f"bookmesh kube up --name {lab.name}"
    raise findings.BookmeshError(
        findings.Finding(
            code="BM0140",
            message=f'"{lab.name}" was made {settings.extent.described}, and cannot come back {extent.described}',
            hint=f'"{again}" brings it back, "bookmesh down --name {lab.name}" removes it; or use another --name',
        ),
        exit_code=2,
    )


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
    except findings.BookmeshError:
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
    if left := running(lab):
        left.end(grace_s=STOP_GRACE_S)


def _explained(error: findings.BookmeshError) -> findings.BookmeshError:
    """What exactly the host does not allow, found out by trying; the error as it is when all trials pass."""
    from bookmesh.kube.sandbox import requirements  # costs more to import than most commands take

    problems = [problem for problem in requirements.check_host() if problem.severity == "error"]
    return findings.BookmeshError(problems[0], exit_code=3) if problems else error


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "the log is empty"
