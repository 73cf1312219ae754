"""No Python file grows beyond what one reads in one go, and no function of ours beyond what one sees at once."""

from __future__ import annotations

import ast

import pytest
from tests.arch import trees

LONGEST = 500
LONGEST_FUNCTION = 60


@pytest.mark.parametrize("folder", ["src", "tests", "tools", "benchmarks", "build_hooks"])
def test_no_file_is_longer_than_500_lines(folder: str) -> None:
    sizes = {
        trees.inside(path): len(path.read_text().splitlines()) for path in trees.modules(trees.ROOT / folder)
    }
    assert {path: size for path, size in sizes.items() if size > LONGEST} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    sizes = {
        f"{trees.inside(path)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in trees.modules(trees.SOURCE)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {place: size for place, size in sizes.items() if size > LONGEST_FUNCTION} == {}
    assert max(sizes.values()) > LONGEST_FUNCTION // 2, "functions were measured"
