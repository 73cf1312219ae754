"""No Python file grows beyond what one reads in one go."""

from __future__ import annotations

import pytest
from tests.arch import trees

LONGEST = 500


@pytest.mark.parametrize("folder", ["src", "tests", "tools", "benchmarks", "build_hooks"])
def test_no_file_is_longer_than_500_lines(folder: str) -> None:
    sizes = {
        trees.inside(path): len(path.read_text().splitlines()) for path in trees.modules(trees.ROOT / folder)
    }
    assert {path: size for path, size in sizes.items() if size > LONGEST} == {}
