"""
The labs of this user as they are on disk: the settings of each, whether it runs, and the lock of whoever changes that.

Commands need this much of a lab and no more: nothing here starts or ends one (`launching` does).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import orjson

from bookmesh.base import findings
from bookmesh.lab import extents, paths, processes


@dataclass(frozen=True, slots=True)
class LabSettings:
    """
    What `lab.json` keeps, so that a lab comes back as it was. `port` is that of the API server; with `real_internet`
    pods reach what this machine reaches, without it programs of this machine reach the simulated one by `proxy_port`,
    0 when there is none. `slot` is 0 when no node runs. `size` is what the node offers in place of what its machine
    has. `audit_log` is a path, "" where requests are not written down.
    """

    port: int
    slot: int
    real_internet: bool = False
    extent: extents.Extent = extents.Extent.MESH
    proxy_port: int = 0
    size: Mapping[str, str] = field(default_factory=dict)
    audit_log: str = ""


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
        hint=f"start it: {usual.get(lab.name, f'bookmesh up --name {lab.name}')}"
        + (f"; or add --name {alive[0]} to the command" if len(alive) == 1 else ""),
    )


def make_directory(lab: paths.LabPaths, *, root_only: bool = False) -> None:
    """Make the lab's directory, or only that of all labs, for this user's eyes alone."""
    lab.directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not root_only:
        lab.directory.mkdir(mode=0o700, exist_ok=True)


@contextlib.contextmanager
def exclusive(lab: paths.LabPaths) -> Iterator[None]:
    """Hold the lab's lock: nobody else starts or ends it meanwhile. Waits for whoever holds it."""
    path = lock_path(lab)
    while True:
        make_directory(lab, root_only=True)
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_still(lock, path):
                yield
                return


def lock_path(lab: paths.LabPaths) -> Path:
    return lab.directory.parent / f".{lab.name}.lock"


def _is_still(lock: IO[str], path: Path) -> bool:
    """Whether a lock that was waited for is the one that others take: `stop` removes the file."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False
