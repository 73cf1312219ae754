"""The images of Bookinfo, built once for all tests."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from tests.images import bases
from tests.lab.conftest import host, new_lab

__all__ = ["host", "new_lab"]

ROOT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
SERVICES = ("productpage", "details", "reviews", "ratings")


def build(builder: bases.Builder, of: bases.Bases, output: Path, *services: str) -> dict[str, Path]:
    """Run the tool as a person would; archives by service."""
    command = [sys.executable, str(ROOT / "tools" / "build_images"), "--builder=buildah"]
    command += [f"--builder-option={option}" for option in builder.options]
    command += ["--build-base", of.build, "--run-base", of.run, "--output", str(output)]
    command += [f"--service={service}" for service in services]
    command += [
        f"--platform=linux/{bases.ARCHITECTURE}",
        "--python",
        bases.VERSION,
        "--revision=abc",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(zip(services, map(Path, done.stdout.split()), strict=True))


@dataclass(frozen=True)
class Built:
    """What was built, and with what; archives by service."""

    builder: bases.Builder
    bases: bases.Bases
    archives: dict[str, Path]

    def read(self, service: str, path: str) -> bytes:
        """Take one file out of the layers of a service's image."""
        with tarfile.open(self.archives[service]) as archive:
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
    yield Built(builder, made, build(builder, made, directory / "output", *SERVICES))
    builder.remove()
