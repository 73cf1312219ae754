"""The images of Bookinfo and of Bookmesh, built once for all tests."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from tests.images import bases, foreign
from tests.lab.conftest import host, lab_numbers, new_lab

__all__ = ["host", "lab_numbers", "new_lab"]

ROOT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
SERVICES = ("productpage", "details", "reviews", "ratings")
BOOKINFO = tuple(f"bookinfo-{service}" for service in SERVICES)
BOOKMESH = ("bookmesh", "bookmesh-gate")
OWN = f"linux/{bases.ARCHITECTURE}"
OTHER = f"linux/{foreign.ARCHITECTURE}"


def build(
    builder: bases.Builder, of: bases.Bases, output: Path, *images: str, platforms: Sequence[str] = (OWN,)
) -> dict[str, Path]:
    """Run the tool as a person would; archives by image."""
    command = [sys.executable, str(ROOT / "tools" / "build_images"), "--builder=buildah"]
    command += [f"--builder-option={option}" for option in builder.options]
    command += ["--build-base", of.build, "--run-base", of.run, "--run-base", f"{OTHER}={of.foreign_run}"]
    command += ["--python", bases.VERSION, "--revision=abc", "--output", str(output)]
    command += [f"--image={image}" for image in images]
    command += [f"--platform={platform}" for platform in platforms]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1000)
    assert done.returncode == 0, done.stdout + done.stderr
    paths = {path.name.partition(f"-{VERSION}")[0]: path for path in map(Path, done.stdout.split())}
    assert set(paths) == set(images)
    return paths


@dataclass(frozen=True)
class Built:
    """What was built, and with what; archives by image."""

    builder: bases.Builder
    bases: bases.Bases
    archives: dict[str, Path]

    def read(self, image: str, path: str) -> bytes:
        """Take one file out of the layers of an image."""
        with tarfile.open(self.archives[image]) as archive:
            files = [archive.extractfile(part) for part in archive if part.isfile()]
            (content,) = [one for file in files if file for one in _inside(file, path)]
        return content


def _inside(part: IO[bytes], path: str) -> list[bytes]:
    """The contents of `path` in a layer; none of what is no layer, or has no such file."""
    try:
        with tarfile.open(fileobj=part) as layer:
            files = [layer.extractfile(entry) for entry in layer if f"/{entry.name}" == path]
            return [file.read() for file in files if file]
    except tarfile.ReadError:
        return []


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    directory = tmp_path_factory.mktemp("built")
    builder = bases.Builder(directory / "buildah")
    made = bases.make(builder, directory)
    yield Built(builder, made, build(builder, made, directory / "output", *BOOKINFO, *BOOKMESH))
    builder.remove()


@pytest.fixture(scope="session")
def again(built: Built, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Some of the images, built from the beginning once more: for both architectures, each in one archive."""
    directory = tmp_path_factory.mktemp("again")
    return build(
        built.builder, built.bases, directory, "bookinfo-ratings", "bookmesh-gate", platforms=(OWN, OTHER)
    )
