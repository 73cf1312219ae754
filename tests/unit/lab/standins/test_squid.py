"""What the image `squid` adds to the program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bookmesh.lab.standins import squid


def test_what_is_missing_is_made(tmp_path: Path) -> None:
    squid.prepare(tmp_path, owner=None)
    assert "http_port 3128" in (tmp_path / squid.CONFIGURATION).read_text()
    assert (tmp_path / "var/log/squid").is_dir()
    assert "proxy:x:13:13:" in (tmp_path / "etc/passwd").read_text()


def test_a_configuration_that_is_there_is_kept(tmp_path: Path) -> None:
    file = tmp_path / squid.CONFIGURATION
    file.parent.mkdir(parents=True)
    file.write_text("http_port 8080\n")
    for _ in range(2):
        squid.prepare(tmp_path, owner=os.getuid())
    assert file.read_text() == "http_port 8080\n"
    assert (tmp_path / "etc/group").read_text().count("proxy:") == 1


def test_a_host_without_squid_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SystemExit, match="this host does not have it"):
        squid.main()
