from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bookmesh.base import findings
from bookmesh.lab import applications, client, paths


@pytest.fixture
def kubectl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A kubectl that writes down its arguments and fails when one of them is called `bad.yaml`."""
    program = tmp_path / "kubectl"
    told = tmp_path / "arguments"
    program.write_text(
        f'#!/bin/sh\necho "$@" > {told}\ncase "$*" in *bad.yaml*) echo "no such file" >&2; exit 1;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(client, "find_kubectl", lambda **_: program)
    return told


def status(ready: str) -> dict[str, Any]:
    pods = [
        {"namespace": "default", "name": f"{name}-abc", "ready": ready} for name in applications._WORKLOADS
    ]
    return {"pods": pods, "pages": []}


def test_nothing_wanted_runs_nothing(lab: paths.LabPaths, kubectl: Path) -> None:
    nothing = applications.Application(lab, bookinfo=False, files=())
    nothing.begin()
    nothing.finish()
    assert not kubectl.exists()


def test_bookinfo_comes_first_and_is_waited_for(
    lab: paths.LabPaths, kubectl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([status("0/2"), status("1/2"), status("2/2")])
    monkeypatch.setattr(client, "fetch_status", lambda _lab: next(answers))
    monkeypatch.setattr(applications, "_LOOK_AGAIN_S", 0.0)
    application = applications.Application(lab, bookinfo=True, files=(Path("mine.yaml"),))
    application.begin()
    application.finish()
    assert next(answers, "all were asked for") == "all were asked for"
    arguments = kubectl.read_text().split()
    assert arguments[0] == "apply"
    assert arguments[2].endswith("/bookinfo.yaml")
    assert arguments[-1] == "mine.yaml"


def test_kubectls_refusal_is_told_in_its_words(lab: paths.LabPaths, kubectl: Path) -> None:
    application = applications.Application(lab, bookinfo=False, files=(Path("bad.yaml"),))
    application.begin()
    with pytest.raises(findings.BookmeshError) as caught:
        application.finish()
    assert (caught.value.finding.code, caught.value.finding.known) == ("BM0109", "no such file")
    assert kubectl.exists()


def test_bookinfo_that_stays_down_is_given_up(
    lab: paths.LabPaths, kubectl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "fetch_status", lambda _lab: status("1/2"))
    monkeypatch.setattr(applications, "_PATIENCE_S", 0.0)
    application = applications.Application(lab, bookinfo=True, files=())
    application.begin()
    with pytest.raises(findings.BookmeshError, match="not ready after") as caught:
        application.finish()
    assert caught.value.finding.code == "BM0110"
    assert "productpage-v1" in caught.value.finding.known
    assert kubectl.exists()


def test_every_sample_that_is_applied_is_there() -> None:
    assert all((applications.SAMPLES / name).is_file() for name in applications._BOOKINFO)
