"""
A directory whose files change all at once, in the kubelet's layout.

    ..2026_05_09_12_00_00.123456/key     the files of one generation
    ..data -> ..2026_05_09_…             replaced by one rename
    key -> ..data/key                    what people see

A process that reads `key`, or watches the directory for a new `..data`, sees the old set of files or the new one.
"""

from __future__ import annotations

import datetime
import os
import shutil
from pathlib import Path

from bookmesh.kube.node.payloads import Payload, PayloadFile

_DATA = "..data"


def write_payload(directory: Path, payload: Payload) -> bool:
    """
    Make `directory` hold exactly `payload`.

    Returns:
        Whether anything changed.
    """
    current = directory / _DATA
    if current.is_symlink() and _read(current) == payload:
        return False
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    previous = os.readlink(current) if current.is_symlink() else None
    generation = f"..{datetime.datetime.now(datetime.UTC):%Y_%m_%d_%H_%M_%S.%f}"
    _write_generation(directory / generation, payload)
    replacement = directory / "..data_tmp"
    replacement.unlink(missing_ok=True)
    replacement.symlink_to(generation)
    replacement.replace(current)
    _link_visible(directory, {path.partition("/")[0] for path in payload})
    if previous is not None:
        shutil.rmtree(directory / previous, ignore_errors=True)
    return True


def _read(current: Path) -> Payload:
    root = current.resolve()
    return {
        str(path.relative_to(root)): PayloadFile(path.read_bytes(), path.stat().st_mode & 0o7777)
        for path in root.rglob("*")
        if path.is_file()
    }


def _write_generation(root: Path, payload: Payload) -> None:
    root.mkdir()
    root.chmod(0o755)
    for name, file in payload.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        path.chmod(file.mode)


def _link_visible(directory: Path, names: set[str]) -> None:
    for name in names:
        link = directory / name
        if not link.is_symlink():
            link.symlink_to(f"{_DATA}/{name}")
    for link in directory.iterdir():
        if link.is_symlink() and not link.name.startswith("..") and link.name not in names:
            link.unlink()
