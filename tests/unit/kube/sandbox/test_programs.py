"""Looking commands up, and the words for those that cannot be executed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bookmesh.kube.sandbox import programs


def make_program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_the_first_executable_file_on_the_path_is_taken(tmp_path: Path) -> None:
    make_program(tmp_path / "a" / "tool", mode=0o644)
    (tmp_path / "b" / "tool").mkdir(parents=True)
    wanted = make_program(tmp_path / "c" / "tool")
    make_program(tmp_path / "d" / "tool")
    search_path = ":".join(str(tmp_path / name) for name in "abcd")
    assert programs.find_executable("tool", search_path) == str(wanted)


def test_a_command_with_a_slash_is_not_looked_up(tmp_path: Path) -> None:
    wanted = make_program(tmp_path / "tool")
    assert programs.find_executable(str(wanted), "/nowhere") == str(wanted)


def test_a_command_that_is_nowhere_is_told_as_runc_does() -> None:
    with pytest.raises(programs.CommandError, match=r'^exec: "foo": executable file not found in \$PATH$'):
        programs.find_executable("foo", "/nowhere")


def test_a_path_that_does_not_exist_is_told_as_runc_does() -> None:
    with pytest.raises(
        programs.CommandError, match=r'^exec: "/no/foo": stat /no/foo: no such file or directory$'
    ):
        programs.find_executable("/no/foo", "")


def test_a_file_that_may_not_be_executed_is_told_as_runc_does(tmp_path: Path) -> None:
    path = make_program(tmp_path / "data", mode=0o644)
    with pytest.raises(programs.CommandError, match=rf'^exec: "{path}": permission denied$'):
        programs.find_executable(str(path), "")


def test_a_directory_is_no_command(tmp_path: Path) -> None:
    with pytest.raises(programs.CommandError, match="is a directory"):
        programs.find_executable(str(tmp_path), "")
