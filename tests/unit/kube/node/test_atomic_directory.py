from __future__ import annotations

import os
from pathlib import Path

from bookmesh.kube.node import atomic_directory
from bookmesh.kube.node.payloads import PayloadFile


def visible(directory: Path) -> dict[str, bytes]:
    return {
        name: (directory / name).read_bytes()
        for name in sorted(os.listdir(directory))
        if not name.startswith("..") and (directory / name).is_file()
    }


def test_files_are_links_through_one_link(tmp_path: Path) -> None:
    directory = tmp_path / "volume"
    payload = {"key": PayloadFile(b"value", 0o600), "deep/down": PayloadFile(b"x", 0o644)}
    assert atomic_directory.write_payload(directory, payload)
    assert visible(directory) == {"key": b"value"}
    assert (directory / "deep" / "down").read_bytes() == b"x"
    assert os.readlink(directory / "key") == "..data/key"
    assert os.readlink(directory / "deep") == "..data/deep"
    assert (directory / "key").stat().st_mode & 0o777 == 0o600


def test_the_same_payload_changes_nothing(tmp_path: Path) -> None:
    payload = {"key": PayloadFile(b"value", 0o644)}
    assert atomic_directory.write_payload(tmp_path, payload)
    data = os.readlink(tmp_path / "..data")
    assert not atomic_directory.write_payload(tmp_path, payload)
    assert os.readlink(tmp_path / "..data") == data


def test_a_new_payload_replaces_all_files_and_leaves_one_generation(tmp_path: Path) -> None:
    atomic_directory.write_payload(tmp_path, {"a": PayloadFile(b"1", 0o644), "b": PayloadFile(b"1", 0o644)})
    held = os.open(tmp_path / "a", os.O_RDONLY)
    assert atomic_directory.write_payload(
        tmp_path, {"a": PayloadFile(b"2", 0o644), "c": PayloadFile(b"2", 0o644)}
    )
    assert visible(tmp_path) == {"a": b"2", "c": b"2"}
    assert os.read(held, 10) == b"1"
    os.close(held)
    generations = [name for name in os.listdir(tmp_path) if name.startswith("..2")]
    assert generations == [os.readlink(tmp_path / "..data")]


def test_a_changed_mode_is_a_change(tmp_path: Path) -> None:
    atomic_directory.write_payload(tmp_path, {"a": PayloadFile(b"1", 0o644)})
    assert atomic_directory.write_payload(tmp_path, {"a": PayloadFile(b"1", 0o600)})


def test_an_empty_payload_is_an_empty_directory(tmp_path: Path) -> None:
    atomic_directory.write_payload(tmp_path, {"a": PayloadFile(b"1", 0o644)})
    atomic_directory.write_payload(tmp_path, {})
    assert visible(tmp_path) == {}
