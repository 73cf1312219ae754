from __future__ import annotations

import os
from pathlib import Path

import pytest

from bookmesh.base import findings
from bookmesh.lab import client, labs, paths


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> paths.LabPaths:
    monkeypatch.setenv("BOOKMESH_HOME", str(tmp_path))
    made = paths.paths_for("default")
    made.directory.mkdir()
    return made


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_kubectl_on_the_path_is_preferred(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = executable(tmp_path / "bin" / "kubectl")
    monkeypatch.setenv("PATH", str(own.parent))
    assert client.find_kubectl() == own


def test_the_bundled_kubectl_is_used_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    bundled = executable(tmp_path / "venv" / "kubectl")
    monkeypatch.setattr(client.sysconfig, "get_path", lambda _name: str(bundled.parent))
    assert client.find_kubectl() == bundled


def test_no_kubectl_at_all_is_a_fault_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(client.sysconfig, "get_path", lambda _name: str(tmp_path))
    with pytest.raises(findings.BookmeshError) as caught:
        client.find_kubectl()
    assert (caught.value.finding.code, caught.value.exit_code) == ("BM0105", 3)


def test_the_shims_come_first_and_only_once(lab: paths.LabPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    path = client.environment(lab)["PATH"]
    assert path == f"{lab.shims}{os.pathsep}/usr/bin"
    monkeypatch.setenv("PATH", path)
    assert client.environment(lab)["PATH"] == path


def test_each_lab_has_a_discovery_cache_of_its_own(lab: paths.LabPaths) -> None:
    assert client.environment(lab)["KUBECACHEDIR"].startswith(str(lab.directory))


def test_a_lab_that_does_not_answer_is_reported(lab: paths.LabPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    from bookmesh.lab import credentials

    credentials.ensure(lab.pki, addresses=("127.0.0.1",))
    # Port 9 of loopback (discard): nothing listens there.
    monkeypatch.setattr(labs, "require_running", lambda _lab: labs.LabSettings(port=9, slot=1))
    with pytest.raises(findings.BookmeshError, match="does not answer") as caught:
        client.fetch_status(lab)
    assert caught.value.finding.code == "BM0104"


def test_istioctl_is_a_script_of_that_name_where_the_path_has_none(
    lab: paths.LabPaths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    executable(tmp_path / "bin" / "kubectl")
    monkeypatch.setenv("PATH", f"{lab.shims}{os.pathsep}{tmp_path / 'bin'}")
    client.link_shims(lab)
    client.link_shims(lab)
    shim = lab.shims / "istioctl"
    assert os.access(shim, os.X_OK)
    assert not shim.is_symlink()
    assert str(lab.kubeconfig) in shim.read_text()
    executable(tmp_path / "bin" / "istioctl")
    client.link_shims(lab)
    own_goes = shim.exists()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    client.link_shims(lab)
    assert (own_goes, shim.exists()) == (True, False)
