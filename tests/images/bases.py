"""
Base images out of this machine's own Python, for builds where no registry can be reached.

One is to run on, with Python and nothing else, no shell; one to build with, which has pip besides; and one to run on
that is for the other architecture.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.images import foreign
from tests.lab import root_files

from bookmesh.lab.images import platforms

PYTHON = Path("/usr/bin/python3").resolve()
VERSION = PYTHON.name.removeprefix("python")
ARCHITECTURE = platforms.architecture()
_LIBRARY = Path("/usr/lib") / PYTHON.name
_WHEELS = Path("/usr/share/python-wheels")
_PROMISED = (
    "libpthread.so.0",
    "librt.so.1",
    "libdl.so.2",
    "libutil.so.1",
    "libresolv.so.2",
    "libgcc_s.so.1",
    "libstdc++.so.6",
)
"""What every base has on which wheels for Linux run, whether Python itself needs it or not."""
_LEFT_OUT = ("__pycache__", "test", "idlelib", "tkinter", "turtledemo", "config-*", "sitecustomize.py")


@dataclass(frozen=True)
class Builder:
    """buildah with a store of its own, without any daemon, for root and for ordinary users."""

    directory: Path

    @property
    def options(self) -> list[str]:
        place = ("--root", str(self.directory / "store"), "--runroot", str(self.directory / "run"))
        return [*place, "--storage-driver", "overlay"]

    def run(self, *arguments: str) -> str:
        command = ["buildah", *self.options, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def commit(self, container: str, name: str) -> str:
        """Make an image of a container, and give its name with its digest."""
        self.run("commit", "--quiet", "--timestamp=0", container, name)
        return f"{name.partition(':')[0]}@{self.run('images', '--format', '{{.Digest}}', name)}"

    def remove(self) -> None:
        """Remove the store; some of its files belong to other users of an ordinary user's namespace."""
        overlay = self.directory / "store" / "overlay"
        if overlay.is_mount():  # of the storage driver, where root runs it
            subprocess.run(["umount", str(overlay)], check=True, timeout=60)
        wrapper = ["buildah", "unshare"] if os.geteuid() else []
        subprocess.run([*wrapper, "rm", "-rf", str(self.directory)], check=True, timeout=300)


@dataclass(frozen=True)
class Bases:
    """References with digests."""

    build: str
    run: str
    foreign_run: str


def make(builder: Builder, scratch: Path) -> Bases:
    """Make the bases; the same machine gives the same digests."""
    container = builder.run("from", "scratch")
    builder.run("copy", "--quiet", container, str(_root(scratch / "root")), "/")
    builder.run("config", "--env", "PATH=/usr/bin", container)
    run = builder.commit(container, "localhost/run:1")
    (wheel,) = _WHEELS.glob("pip-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(scratch / "pip")
    builder.run("copy", "--quiet", container, str(scratch / "pip"), "/usr/lib/python3/dist-packages")
    build = builder.commit(container, "localhost/build:1")
    builder.run("rm", container)
    return Bases(build, run, _make_foreign(builder, scratch / "foreign"))


def _make_foreign(builder: Builder, scratch: Path) -> str:
    root = scratch / "root"
    python = (f"{PYTHON.name}-minimal", f"lib{PYTHON.name}-stdlib", "libstdc++6")
    foreign.unpack(root, *python, scratch=scratch / "apt")
    (root / "usr" / "bin" / "python3").symlink_to(PYTHON.name)
    container = builder.run("from", "--arch", foreign.ARCHITECTURE, "scratch")
    builder.run("copy", "--quiet", container, str(root), "/")
    builder.run("config", "--env", "PATH=/usr/bin", "--arch", foreign.ARCHITECTURE, container)
    image = builder.commit(container, "localhost/foreign:1")
    builder.run("rm", container)
    return image


def _root(root: Path) -> Path:
    (root / "usr" / "bin").mkdir(parents=True)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    shutil.copy(PYTHON, root / "usr" / "bin" / PYTHON.name)
    (root / "usr" / "bin" / "python3").symlink_to(PYTHON.name)
    library = root / _LIBRARY.relative_to("/")
    shutil.copytree(_LIBRARY, library, symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    root_files.copy_libraries(root, PYTHON, *(_LIBRARY / "lib-dynload").glob("*.so"))
    (libc,) = (path for path in root_files.libraries_of(PYTHON) if path.name.startswith("libc.so"))
    for name in _PROMISED:
        shutil.copy(libc.with_name(name), root / libc.with_name(name).relative_to("/"))
    return root
