from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.lab.conftest import pretend_to_run

from bookmesh.base import findings
from bookmesh.lab import labs, launching, paths, processes


def test_a_running_lab_is_found_and_not_started_again(lab: paths.LabPaths) -> None:
    pretend_to_run(lab, port=7)
    steps: list[str] = []
    assert launching.start(lab, port=None, on_step=steps.append) == (labs.LabSettings(7, 3), False)
    assert launching.start(lab, port=7, on_step=steps.append)[1] is False
    assert steps == []


def test_a_lab_that_dies_at_once_leaves_its_last_words(
    lab: paths.LabPaths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken-python"
    broken.write_text("#!/bin/sh\necho 'something broke' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(launching.sys, "executable", str(broken))
    with pytest.raises(findings.BookmeshError) as caught:
        launching.start(lab, port=None, on_step=lambda _step: None)
    assert caught.value.finding.code == "BM0104"
    assert caught.value.finding.known == "something broke"
    assert caught.value.finding.where == str(lab.log)


REFUSED = """
import os, sys
finding = b'{"code": "BM0101", "message": "the host does not allow it"}'
handle = int(sys.argv[sys.argv.index("--progress") + 1])
os.write(handle, b'{"finding": ' + finding + b', "exit_code": 3}\\n')
"""


def pretend_python(path: Path, program: str) -> str:
    """A program that is started in place of Python, and does as it likes."""
    path.write_text(f"#!{sys.executable}\n{program}")
    path.chmod(0o755)
    return str(path)


def test_a_host_that_forbids_namespaces_is_told_by_the_check(
    lab: paths.LabPaths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    precise = findings.Finding(code="BM0101", message="user namespaces are off", hint="sysctl …")
    monkeypatch.setattr(launching.sys, "executable", pretend_python(tmp_path / "refused-python", REFUSED))
    monkeypatch.setattr("bookmesh.kube.sandbox.requirements.check_host", lambda: [precise])
    with pytest.raises(findings.BookmeshError) as caught:
        launching.start(lab, port=None, on_step=lambda _step: None)
    assert (caught.value.finding, caught.value.exit_code) == (precise, 3)


STUBBORN = """
import os, pathlib, signal, sys, time
home, handle = os.environ["BOOKMESH_HOME"], int(sys.argv[sys.argv.index("--progress") + 1])
if os.fork():
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
started = pathlib.Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
pathlib.Path(home, "default", "daemon.pid").write_text('{"pid": %d, "started": %s}' % (os.getpid(), started))
os.write(handle, b'{"step": "programs"}\\n')
time.sleep(600)
"""


def test_a_start_that_is_interrupted_leaves_no_process(
    lab: paths.LabPaths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(launching.sys, "executable", pretend_python(tmp_path / "stubborn-python", STUBBORN))
    seen: list[processes.LabProcess | None] = []

    def interrupted(_step: str) -> None:
        seen.append(processes.read(lab.pid))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        launching.start(lab, port=None, on_step=interrupted)
    assert seen[0] is not None, "it was there"
    assert not seen[0].is_alive()


def test_what_an_earlier_start_left_half_made_is_ended_by_the_next(
    lab: paths.LabPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.directory.mkdir(parents=True)
    left = subprocess.Popen(["sleep", "60"])
    processes.write(lab.pid, left.pid)
    monkeypatch.setattr(launching.sys, "executable", "/bin/false")
    with pytest.raises(findings.BookmeshError, match="ended before it was ready"):
        launching.start(lab, port=None, on_step=lambda _step: None)
    assert left.wait(timeout=20) == -signal.SIGTERM


def test_stopping_removes_every_file(lab: paths.LabPaths) -> None:
    assert launching.stop(lab) is False
    (lab.directory / "pki").mkdir(parents=True)
    (lab.directory / "pki" / "key").touch()
    assert launching.stop(lab) is True
    assert not lab.directory.parent.exists()
