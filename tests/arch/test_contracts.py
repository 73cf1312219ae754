"""The contracts between rooms hold: `.importlinter` for what may import what, and which modules decide without I/O."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from tests.arch import trees

CONTROLLERS = trees.SOURCE / "bookmesh" / "kube" / "controllers"
MACHINERY = {"all", "applying", "informers", "queues", "recording", "runner"}
NOT_FOR_DECIDING = {
    "asyncio",
    "grpc",
    "http",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "time",
}


def imported(path: Path) -> set[str]:
    """Collect the top-level packages a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found


def test_every_import_contract_holds() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--config", trees.ROOT / ".importlinter", "--no-cache"],
        cwd=trees.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "path",
    [path for path in trees.modules(CONTROLLERS) if path.stem not in MACHINERY],
    ids=lambda path: path.stem,
)
def test_a_controller_decides_without_clock_chance_or_io(path: Path) -> None:
    assert imported(path) & NOT_FOR_DECIDING == set()


def test_the_machinery_is_all_there() -> None:
    assert {path.stem for path in trees.modules(CONTROLLERS)} >= MACHINERY
