"""Removing folders that hold what images brought: an ordinary user has to be let into some of them first."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def remove_tree(path: Path) -> None:
    """Remove a folder and all in it, whatever the modes of the folders inside. Raises OSError."""
    if os.geteuid() != 0:
        path.chmod(0o700)
        for directory, names, _ in os.walk(path):
            for name in names:
                inner = os.path.join(directory, name)
                if not os.path.islink(inner):
                    os.chmod(inner, 0o700)
    shutil.rmtree(path)
