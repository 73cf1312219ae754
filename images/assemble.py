"""
Put together what an image adds to its base: packages out of wheels, the program itself, byte code, an SBOM.

    IMAGE=bookinfo-reviews python3 assemble.py /out

Runs inside the build, next to `wheels/`, `platforms.txt` (options of pip, one a line), `version.txt`, the requirements,
and what is ours: `bookinfo/`, or a wheel of Bookmesh with a requirement of its own. The same input gives the same
bytes: byte code holds no time and is not compared with its source when it runs, packages leave no trace of where they
came from.
"""

from __future__ import annotations

import compileall
import filecmp
import itertools
import os
import py_compile
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import sbom

HERE = Path(__file__).parent
LARGE_BYTES = 1_000_000

_BOOKINFO = """\
import sys

from bookinfo.main import main

main(["{service}", *sys.argv[1:]])
"""
_BOOKMESH = """\
from bookmesh.cli.main import run

run()
"""
_GATE = """\
import sys

from bookmesh.cli.main import run

if sys.argv[1:3] != ["release", "check"]:
    sys.exit("this image has `bookmesh release check` alone; the image bookmesh has the rest")
run()
"""


@dataclass(frozen=True)
class Recipe:
    """What becomes of an image: its folder below /opt, what is installed there, and its __main__.py."""

    folder: str
    requirements: tuple[str, ...]
    main: str


def _bookinfo(service: str, *more: str) -> Recipe:
    return Recipe("bookinfo", ("requirements.txt", *more), _BOOKINFO.format(service=service))


RECIPES = {
    "bookinfo-productpage": _bookinfo("productpage"),
    "bookinfo-details": _bookinfo("details"),
    "bookinfo-reviews": _bookinfo("reviews"),
    "bookinfo-ratings": _bookinfo("ratings", "requirements-databases.txt"),
    "bookmesh": Recipe("bookmesh", ("requirements.txt", "requirements-own.txt"), _BOOKMESH),
    "bookmesh-gate": Recipe("bookmesh", ("requirements-gate.txt", "requirements-own.txt"), _GATE),
}


def main() -> None:
    name, out = os.environ["IMAGE"], Path(sys.argv[1])
    recipe = RECIPES[name]
    target = out / "opt" / recipe.folder
    install(target, *recipe.requirements)
    if recipe.folder == "bookinfo":
        shutil.copytree(HERE / "bookinfo", target / "bookinfo")
    (target / "__main__.py").write_text(recipe.main)
    remove_scripts(target / "bin")
    link_copies(target)
    compile_tree(target)
    version = (HERE / "version.txt").read_text().strip()
    (target / "sbom.cdx.json").write_text(sbom.render(target, name=name, version=version))


def install(target: Path, *requirements: str) -> None:
    """Install exactly what the requirements pin, from the wheels that are here."""
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
    command += ["--quiet", "--root-user-action=ignore", "--no-cache-dir", "--disable-pip-version-check"]
    command += [*options, *(f"--requirement={HERE / name}" for name in requirements)]
    subprocess.run(command, check=True)


def remove_scripts(programs: Path) -> None:
    """Remove the programs of packages that name this build's interpreter; what is left needs none."""
    if not programs.is_dir():
        return
    for path in programs.iterdir():
        if path.read_bytes()[:2] == b"#!":
            path.unlink()
    if not any(programs.iterdir()):
        programs.rmdir()


def link_copies(target: Path) -> None:
    """Make links of large files that are there several times: wheels cannot hold links of libraries' versions."""
    large = sorted(
        path
        for path in target.rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_size > LARGE_BYTES
    )
    for one, other in itertools.combinations(large, 2):
        if one.parent == other.parent and not one.is_symlink() and filecmp.cmp(one, other, shallow=False):
            other.unlink()
            other.symlink_to(one.name)


def compile_tree(target: Path) -> None:
    """Write byte code that says where its source will be, and is used without looking there."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    place = Path("/opt") / target.name
    if not compileall.compile_dir(target, quiet=1, invalidation_mode=mode, prependdir=place, stripdir=target):
        sys.exit("assemble: byte code could not be written")


if __name__ == "__main__":
    main()
