from __future__ import annotations

from pathlib import Path

import pytest

from bookmesh.base import findings
from bookmesh.lab import paths


def test_home_of_all_labs_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKMESH_HOME", "/srv/labs")
    assert paths.paths_for("class-2").directory == Path("/srv/labs/class-2")
    monkeypatch.delenv("BOOKMESH_HOME")
    monkeypatch.setenv("XDG_STATE_HOME", "/var/state")
    assert paths.paths_for("default").store == Path("/var/state/bookmesh/default/store.db")


def test_the_default_lab_has_the_short_context() -> None:
    assert paths.paths_for("default").context == "bookmesh"
    assert paths.paths_for("class-2").context == "bookmesh-class-2"


@pytest.mark.parametrize("name", ["", "Upper", "a/b", "../up", "-dash", "dash-", "x" * 33, "a b"])
def test_impossible_names_are_misuse(name: str) -> None:
    with pytest.raises(findings.BookmeshError) as caught:
        paths.paths_for(name)
    assert caught.value.exit_code == 2
    assert caught.value.finding.code == "BM0107"


def test_labs_are_listed_by_their_directories(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOOKMESH_HOME", str(tmp_path / "none-yet"))
    assert paths.lab_names() == []
    monkeypatch.setenv("BOOKMESH_HOME", str(tmp_path))
    for name in ("two", "one", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "a-file").touch()
    assert paths.lab_names() == ["one", "two"]
