"""What the tool that builds images refuses before it begins."""

from __future__ import annotations

import subprocess
import sys

from tests.images import conftest

TOOL = conftest.ROOT / "tools" / "build_images"
DIGEST = f"@sha256:{'0' * 64}"
BUILD = ("--builder", "buildah", "--build-base", f"python{DIGEST}")


def refused(*arguments: str, python: tuple[str, ...] = ()) -> tuple[int, str]:
    command = [sys.executable, *python, str(TOOL), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stderr


def test_a_base_without_its_digest_is_refused() -> None:
    code, said = refused("--build-base", "python:3.11", "--run-base", "python:3.11")
    assert code == 2
    assert "python:3.11 has no digest" in said


def test_each_platform_wants_a_base() -> None:
    code, said = refused(*BUILD, "--run-base", f"linux/amd64=python{DIGEST}")
    assert (code, said) == (1, "build_images: no --run-base for linux/arm64\n")


def test_without_build_requirements_only_bookinfo_can_be_built() -> None:
    bases = (*BUILD, "--run-base", f"linux/amd64=python{DIGEST}")
    code, said = refused(*bases, "--image", "bookmesh-gate", python=("-S",))
    assert code == 1
    assert "make setup" in said
    assert "no --run-base" in refused(*bases, "--image", "bookinfo-reviews", python=("-S",))[1]
