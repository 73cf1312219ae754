"""A small root file system out of this machine's own programs, for images that no registry has to serve."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path


def copy_programs(root: Path, *names: str) -> None:
    """Put programs of this machine below `root`, at /bin/NAME, with the libraries they need at their own paths."""
    (root / "bin").mkdir(parents=True, exist_ok=True)
    for name in names:
        found = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        assert found is not None, f"this machine has no {name}"
        shutil.copy(Path(found).resolve(), root / "bin" / name)
        copy_libraries(root, Path(found))


def copy_libraries(root: Path, *binaries: Path) -> None:
    """Copy the shared libraries, and the loader, that ELF files need; those that are there already stay."""
    for library in libraries_of(*binaries):
        target = root / library.relative_to("/")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)


def libraries_of(*binaries: Path) -> list[Path]:
    """List the libraries of ELF files by the paths that the loader looks them up at."""
    listed = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=True)
    return [Path(path) for path in re.findall(r"(?:=> |^\s)(/\S+) \(0x", listed.stdout, re.MULTILINE)]
