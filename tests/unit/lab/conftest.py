from __future__ import annotations

import os
from pathlib import Path

import pytest

from bookmesh.lab import labs, paths, processes


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> paths.LabPaths:
    monkeypatch.setenv("BOOKMESH_HOME", str(tmp_path / "home"))
    return paths.paths_for("default")


def pretend_to_run(lab: paths.LabPaths, *, port: int) -> None:
    """A lab whose process is this one."""
    lab.directory.mkdir(parents=True)
    labs.write_settings(lab, labs.LabSettings(port=port, slot=3))
    processes.write(lab.pid, os.getpid())
    lab.kubeconfig.touch()
