"""Where things are in the repository, for the tests about its shape."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
TESTS = ROOT / "tests"


def modules(folder: Path) -> list[Path]:
    """List the Python files below a folder; none at all is a mistake in the test."""
    found = sorted(path for path in folder.rglob("*.py") if "generated" not in path.parts)
    assert found, f"no Python file in {folder}"
    return found


def inside(path: Path) -> str:
    """Write a path as seen from the repository."""
    return path.relative_to(ROOT).as_posix()
