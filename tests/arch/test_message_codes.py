"""Codes of messages: each in the table is used, tested and documented, and none is used that is not in the table."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from tests.arch import trees

from bookmesh.base.messages import MESSAGES

TABLE = trees.SOURCE / "bookmesh" / "base" / "messages.py"
PAGE = trees.ROOT / "docs" / "reference" / "messages.md"
GENERATOR = trees.ROOT / "tools" / "gen_messages.py"
CODE = re.compile(r"BM0\d{3}")


def codes_in(folder: Path, *, besides: Path | None = None) -> set[str]:
    """Collect the codes that stand in the Python files of a folder."""
    return {
        code for path in trees.modules(folder) if path != besides for code in CODE.findall(path.read_text())
    }


def test_every_code_is_raised_somewhere() -> None:
    assert set(MESSAGES) - codes_in(trees.SOURCE, besides=TABLE) == set()


def test_no_code_is_used_that_the_table_does_not_have() -> None:
    assert codes_in(trees.SOURCE) - set(MESSAGES) == set()


def test_every_code_is_named_by_a_test() -> None:
    assert set(MESSAGES) - codes_in(trees.TESTS) == set()


@pytest.mark.parametrize("code", MESSAGES)
def test_the_page_documents_the_code(code: str) -> None:
    assert f"| {code} | {MESSAGES[code]} |" in PAGE.read_text()


def test_the_page_is_what_the_generator_writes() -> None:
    done = subprocess.run(
        [sys.executable, GENERATOR, "--check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_a_code_outside_the_known_hundreds_is_refused() -> None:
    build_page = runpy.run_path(str(GENERATOR))["build_page"]
    with pytest.raises(ValueError, match="BM9999"):
        build_page({"BM9999": "nonsense"})


def test_the_generator_refuses_what_it_does_not_know() -> None:
    assert runpy.run_path(str(GENERATOR))["main"](["--help"]) == 2
