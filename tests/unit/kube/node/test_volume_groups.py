"""Volumes of a pod belong to its group; as this user they can be given to a group of this user's."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bookmesh.kube.node import volume_groups


@pytest.mark.parametrize(("read_only", "file_mode"), [(False, 0o660), (True, 0o640)])
def test_members_of_the_group_may_use_what_is_in_a_volume(
    tmp_path: Path, read_only: bool, file_mode: int
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o600)
    volume = tmp_path / "volume"
    (volume / "inner").mkdir(parents=True)
    (volume / "inner" / "file").write_text("x")
    (volume / "inner" / "file").chmod(0o600)
    (volume / "link").symlink_to(outside)
    gid = os.getgid()
    volume_groups.give(volume, gid, read_only=read_only)
    for directory in (volume, volume / "inner"):
        assert directory.stat().st_mode & stat.S_ISGID
        assert directory.stat().st_gid == gid
    assert stat.S_IMODE((volume / "inner" / "file").stat().st_mode) == file_mode
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600, "a link is not followed"
