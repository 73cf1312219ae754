"""What the image adds to the host's nginx."""

from __future__ import annotations

from pathlib import Path

import pytest

from bookmesh.lab.standins import nginx


@pytest.mark.parametrize(("can_change_user", "uid"), [(True, 101), (False, 0)])
def test_directories_user_and_configuration_are_there(
    tmp_path: Path, can_change_user: bool, uid: int
) -> None:
    for _ in range(2):  # a container may be started again
        text = nginx.prepare(tmp_path, can_change_user=can_change_user)
    assert text == (tmp_path / nginx.CONFIGURATION).read_text()
    assert "listen 80" in text
    assert (tmp_path / "etc/passwd").read_text() == f"nginx:x:{uid}:{uid}:nginx:/nonexistent:/bin/false\n"
    assert (tmp_path / "etc/group").read_text() == f"nginx:x:{uid}:\n"
    assert (tmp_path / "var/log/nginx/access.log").readlink() == Path("/dev/stdout")
    assert (tmp_path / "var/lib/nginx").is_dir()


def test_a_configuration_that_is_mounted_counts(tmp_path: Path) -> None:
    (tmp_path / "etc/nginx").mkdir(parents=True)
    (tmp_path / nginx.CONFIGURATION).write_text("events {}\n")
    assert nginx.prepare(tmp_path, can_change_user=False) == "events {}\n"


@pytest.mark.parametrize(
    ("configuration", "given", "expected"),
    [
        ("events {}", [], ["-g", "daemon off; user nginx;"]),
        ("events {}\nuser  www;", [], ["-g", "daemon off;"]),
        ("http { # user x\n}", [], ["-g", "daemon off; user nginx;"]),
        ("events {}", ["-t"], ["-t"]),
    ],
)
def test_it_stays_in_the_foreground(configuration: str, given: list[str], expected: list[str]) -> None:
    assert nginx.build_arguments("/x/nginx", configuration, given) == ["/x/nginx", *expected]


def test_without_the_program_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SystemExit, match="does not have it"):
        nginx.main()
