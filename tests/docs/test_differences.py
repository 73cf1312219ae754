"""The page of differences: made from one file a number, and no number is ever lost."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bookmesh.tasks import loading

ROOT = Path(__file__).parents[2]
GENERATOR = runpy.run_path(str(ROOT / "tools" / "gen_differences.py"))
read: Callable[[Path], list[Any]] = GENERATOR["read"]
build_page: Callable[..., str] = GENERATOR["build_page"]
TASKS = loading.discover(ROOT / "tasks")


def write(folder: Path, number: str, text: str) -> None:
    (folder / f"{number}.yaml").write_text(text)


def test_entries_stand_in_the_page_by_number(tmp_path: Path) -> None:
    write(tmp_path, "BM-D002", "title: b\nlab: x | y\nwhy: z\n")
    write(
        tmp_path,
        "BM-D001",
        "title: a\nlab: >-\n  one\n  line\nwhy: w\ntasks: [traffic-management/mirr*ing]\n",
    )
    page = build_page(read(tmp_path), TASKS)
    assert "| BM-D001 | a | one line | w |\n| BM-D002 | b | x \\| y | z |\n" in page
    assert page.endswith("| `traffic-management/mirroring` | BM-D001 |\n")


def test_a_number_of_the_page_without_its_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "BM-D001", "title: a\nlab: b\nwhy: c\n")
    before = build_page(read(tmp_path), TASKS)
    (tmp_path / "BM-D001.yaml").rename(tmp_path / "BM-D002.yaml")
    with pytest.raises(ValueError, match=r"BM-D001 in differences\.md without a file"):
        build_page(read(tmp_path), TASKS, before)


def test_a_task_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "BM-D001", "title: a\nlab: b\nwhy: c\ntasks: [no/such/task]\n")
    with pytest.raises(ValueError, match=r"BM-D001\.yaml: no task of the catalogue matches no/such/task"):
        build_page(read(tmp_path), TASKS)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("notes", "title: a\n", "is not named BM-Dnnn.yaml"),
        ("BM-D001", "title: a\nlab: b\n", "lacks why"),
        ("BM-D001", "title: a\nlab: b\nwhy: c\nlink: d\n", "link is not one of"),
        ("BM-D001", "title: 3\nlab: b\nwhy: c\n", "has the wrong type"),
        ("BM-D001", "- a\n", "is no mapping"),
    ],
)
def test_an_entry_that_is_none_is_refused(tmp_path: Path, name: str, text: str, told: str) -> None:
    write(tmp_path, name, text)
    with pytest.raises(ValueError, match=told):
        read(tmp_path)
