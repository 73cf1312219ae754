"""
A root file system for the other architecture: Debian's packages for it, unpacked and never run.

apt keeps everything of it in one folder, beside what it knows of this machine, so that an ordinary user can do it too.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bookmesh.lab.images import platforms

ARCHITECTURE = {"amd64": "arm64", "arm64": "amd64"}[platforms.architecture()]


def unpack(root: Path, *packages: str, scratch: Path) -> None:
    """Put packages and all that they depend on below `root`."""
    lists, archives = scratch / "state" / "lists" / "partial", scratch / "cache" / "archives"
    for directory in (lists, archives / "partial", root):
        directory.mkdir(parents=True)
    (scratch / "status").touch()  # nothing is installed there, so all dependencies are wanted
    options = [
        *("-o", f"APT::Architecture={ARCHITECTURE}", "-o", f"APT::Architectures::={ARCHITECTURE}"),
        *("-o", f"Dir::State={scratch / 'state'}", "-o", f"Dir::State::status={scratch / 'status'}"),
        *("-o", f"Dir::Cache={scratch / 'cache'}", "-o", "Debug::NoLocking=true"),
        *("-o", "APT::Sandbox::User=", "-o", "APT::Install-Recommends=false"),
    ]
    _run("apt-get", "-qq", *options, "update")
    _run("apt-get", "-qq", *options, "install", "--download-only", "--yes", *packages)
    found = sorted(archives.glob("*.deb"))
    assert len(found) > len(packages)
    for archive in found:
        _run("dpkg-deb", "--extract", str(archive), str(root))


def _run(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
