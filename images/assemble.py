"""
Put together what an image adds to its base: packages out of wheels, Bookinfo itself, byte code, an SBOM.

    SERVICE=reviews python3 assemble.py TARGET

Runs inside the build, next to `wheels/`, `bookinfo/`, `platforms.txt` (options of pip, one a line) and `version.txt`.
The same input gives the same bytes: byte code holds no time and is not compared with its source when it runs, packages
leave no trace of where they came from.
"""

from __future__ import annotations

import compileall
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import sbom

HERE = Path(__file__).parent
MAIN = """\
import sys

from bookinfo.main import main

main(["{service}", *sys.argv[1:]])
"""


def main() -> None:
    target, service = Path(sys.argv[1]), os.environ["SERVICE"]
    install(target, "requirements.txt", *(["requirements-databases.txt"] if service == "ratings" else []))
    shutil.copytree(HERE / "bookinfo", target / "bookinfo")
    (target / "__main__.py").write_text(MAIN.format(service=service))
    compile_tree(target)
    version = (HERE / "version.txt").read_text().strip()
    (target / "sbom.cdx.json").write_text(sbom.render(target, name=f"bookinfo-{service}", version=version))


def install(target: Path, *requirements: str) -> None:
    """Install exactly what the requirements pin, from the wheels that are here, without their programs."""
    options = (HERE / "platforms.txt").read_text().split()
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--find-links", str(HERE / "wheels")]
    command += [
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "--no-compile",
        "--target",
        str(target),
    ]
    command += [
        "--quiet",
        "--root-user-action=ignore",
        "--no-cache-dir",
        "--disable-pip-version-check",
        *options,
    ]
    command += [f"--requirement={HERE / name}" for name in requirements]
    subprocess.run(command, check=True)
    shutil.rmtree(target / "bin", ignore_errors=True)  # programs of packages name this build's interpreter


def compile_tree(target: Path) -> None:
    """Write byte code that says where its source will be, and is used without looking there."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(
        target, quiet=1, invalidation_mode=mode, prependdir=Path("/opt/bookinfo"), stripdir=target
    ):
        sys.exit("assemble: byte code could not be written")


if __name__ == "__main__":
    main()
