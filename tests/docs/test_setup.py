"""What `make setup` says on machines that lack something: what, and what to do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("requirements.lock", "pyproject.toml", "build_hooks/schemas.py")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The Makefile in a folder where nothing was set up yet."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in NEEDED:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def set_up(tree: Path, python: str) -> str:
    """What it says when it fails."""
    done = subprocess.run(
        ["make", "setup", f"PYTHON={python}"], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done
    return done.stderr


def python_that(tree: Path, script: str) -> str:
    program = tree / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_no_python_is_told_with_how_to_name_another(tree: Path) -> None:
    assert "there is no python3.99: install Python 3.11 or later" in set_up(tree, "python3.99")


def test_an_old_python_is_told_with_its_version(tree: Path) -> None:
    old = python_that(tree, '[ "$1" = -V ] && echo Python 3.9.2\nexit 1')
    assert f"{old} is Python 3.9.2; Bookmesh needs 3.11 or later" in set_up(tree, old)


def test_an_environment_that_was_half_made_is_not_kept(tree: Path) -> None:
    half = python_that(
        tree, '[ "$2" = venv ] || exit 0\nmkdir -p .venv/bin\nln -s "$0" .venv/bin/python\nexit 1'
    )
    assert "apt install python3-venv" in set_up(tree, half)
    assert not (tree / ".venv").exists()
