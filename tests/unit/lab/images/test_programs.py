from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bookmesh.lab.images import programs

PILOT_AGENT = {"/usr/local/bin/pilot-agent": "bookmesh.lab.standins.pilot_agent"}


def test_scripts_run_the_modules_they_stand_for(tmp_path: Path) -> None:
    programs.write(tmp_path, [{}, PILOT_AGENT])
    (mount,) = programs.mounts(tmp_path, PILOT_AGENT)
    assert mount.target == "/usr/local/bin/pilot-agent"
    assert mount.read_only
    assert os.access(mount.source, os.X_OK)
    done = subprocess.run([mount.source], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "usage: pilot-agent request METHOD PATH" in done.stderr
