from __future__ import annotations

from pathlib import Path

from bookmesh.lab import removing


def test_folders_that_forbid_writing_are_removed_and_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o555)
    inner = tmp_path / "tree" / "closed" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    (inner / "link").symlink_to(outside)
    for path in (inner, inner.parent, inner.parent.parent):
        path.chmod(0o000 if path == inner else 0o555)
    removing.remove_tree(tmp_path / "tree")
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert outside.stat().st_mode & 0o777 == 0o555
