"""What images have besides their base: what the roots want, and all that is imported."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys

import pytest
from tests.images import conftest

REQUIREMENTS = runpy.run_path(str(conftest.ROOT / "tools" / "gen_image_requirements.py"))
GATE = conftest.ROOT / "images" / "bookmesh" / "requirements-gate.txt"

ALONE = """
import importlib.metadata, re, sys

allowed = set(sys.argv[1].split())
there = {re.sub("[-_.]+", "-", one.metadata["Name"]).lower() for one in importlib.metadata.distributions()}
for module, names in importlib.metadata.packages_distributions().items():
    if not {re.sub("[-_.]+", "-", name).lower() for name in names} & allowed:
        sys.modules[module] = None  # an import of it fails
assert allowed <= there, allowed - there

from bookmesh.cli import main

main.run(sys.argv[2:])
"""
"""Runs a command where only some packages can be imported."""


def test_the_requirements_are_all_that_the_roots_want() -> None:
    lock = (
        "a==1 \\\n    --hash=sha256:1\n    # via bookmesh (pyproject.toml)\n"
        "b==2 \\\n    --hash=sha256:2\n    # via\n    #   a\n    #   z\n"
        "c==3 \\\n    --hash=sha256:3\n    # via b\n"
        "z==4 \\\n    --hash=sha256:4\n    # via bookmesh (pyproject.toml)\n"
    )
    packages = REQUIREMENTS["blocks"](lock)
    assert REQUIREMENTS["closure"](packages, ["a"]) == ["a", "b", "c"]
    with pytest.raises(KeyError):
        REQUIREMENTS["closure"](packages, ["missing"])


def checked(packages: set[str]) -> str:
    """What a gate says that sees no cluster."""
    command = [sys.executable, "-c", ALONE, " ".join(packages), "release", "check", "--target", "nowhere"]
    command += ["--declares", '{"release": "reviews", "namespace": "shop"}']
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done.stdout
    return done.stderr


def test_the_gate_imports_nothing_that_its_image_does_not_have() -> None:
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", GATE.read_text(), re.MULTILINE)) | {"bookmesh"}
    assert 'context "nowhere" does not exist' in checked(pinned), "it got as far as kubectl"
    assert "import of msgspec halted" in checked(pinned - {"msgspec"})
