"""
Executables of ours inside images, such as `/usr/bin/fortio`: small scripts that a container sees at their path.

They are written when the lab starts, since they name the interpreter that runs it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from bookmesh.kube.sandbox import specification

_SCRIPT = """#!{interpreter} -P
from {module} import main

main()
"""


def write(directory: Path, wanted: Iterable[Mapping[str, str]]) -> None:
    """Write the scripts of all images, each a map from path in the container to module with a `main`."""
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    for programs in wanted:
        for path, module in programs.items():
            script = directory / _file_name(path, module)
            script.write_text(_SCRIPT.format(interpreter=sys.executable, module=module))
            script.chmod(0o755)


def mounts(directory: Path, programs: Mapping[str, str]) -> tuple[specification.Mount, ...]:
    """Mounts that show the scripts of one image at their paths."""
    return tuple(
        specification.Mount(str(directory / _file_name(path, module)), path, read_only=True)
        for path, module in programs.items()
    )


def _file_name(path: str, module: str) -> str:
    """Two images may have different programs of one name."""
    return f"{module}-{PurePosixPath(path).name}"
