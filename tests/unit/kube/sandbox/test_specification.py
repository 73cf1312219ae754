"""What lets this Python run inside a sandbox."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bookmesh.kube.sandbox import specification


def test_a_directory_inside_another_one_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "ab").mkdir()
    given = [str(tmp_path / "ab"), str(tmp_path / "a" / "b"), f"{tmp_path}/a/"]
    assert specification.outermost(given) == [str(tmp_path / "a"), str(tmp_path / "ab")]


def test_what_does_not_exist_or_comes_with_usr_is_dropped(tmp_path: Path) -> None:
    assert specification.outermost([str(tmp_path / "none"), "/usr", "/usr/bin", "/"]) == []


def test_the_interpreter_and_this_package_are_seen_in_a_sandbox() -> None:
    mounts = specification.python_mounts()
    seen = [mount.target for mount in mounts] + ["/usr"]
    for path in (sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve()), specification.__file__):
        assert any(path == target or path.startswith(f"{target}/") for target in seen), path
    assert all(mount.read_only and mount.source == mount.target for mount in mounts)


def test_the_working_directory_is_not_shown_for_being_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert str(tmp_path) not in [mount.source for mount in specification.python_mounts()]


def test_a_source_directory_on_the_path_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    assert any(str(tmp_path).startswith(mount.source) for mount in specification.python_mounts())


def test_envoy_is_found_without_importing_it() -> None:
    binary = specification.envoy_binary()
    assert binary is not None
    assert binary.name == "envoy"
    assert binary.is_file()
