from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bookmesh.base import findings
from bookmesh.lab import extents, launching, paths, processes


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> paths.LabPaths:
    monkeypatch.setenv("BOOKMESH_HOME", str(tmp_path / "home"))
    return paths.paths_for("default")


def pretend_to_run(lab: paths.LabPaths, *, port: int) -> None:
    """A lab whose process is this one."""
    lab.directory.mkdir(parents=True)
    launching.write_settings(lab, launching.LabSettings(port=port, slot=3))
    processes.write(lab.pid, os.getpid())
    lab.kubeconfig.touch()


def test_settings_survive(lab: paths.LabPaths) -> None:
    assert launching.read_settings(lab) is None
    lab.directory.mkdir(parents=True)
    launching.write_settings(lab, launching.LabSettings(port=7, slot=3))
    assert launching.read_settings(lab) == launching.LabSettings(port=7, slot=3)


def test_a_running_lab_is_found_and_not_started_again(lab: paths.LabPaths) -> None:
    pretend_to_run(lab, port=7)
    steps: list[str] = []
    assert launching.start(lab, port=None, on_step=steps.append) == (launching.LabSettings(7, 3), False)
    assert launching.start(lab, port=7, on_step=steps.append)[1] is False
    assert steps == []


def test_another_port_for_a_running_lab_is_misuse(lab: paths.LabPaths) -> None:
    pretend_to_run(lab, port=7)
    with pytest.raises(findings.BookmeshError) as caught:
        launching.start(lab, port=8, on_step=lambda _step: None)
    assert (caught.value.finding.code, caught.value.exit_code) == ("BM0106", 2)


def test_a_running_lab_of_another_extent_is_misuse(lab: paths.LabPaths) -> None:
    pretend_to_run(lab, port=7)
    with pytest.raises(findings.BookmeshError, match="with a mesh, not as an API server alone") as caught:
        launching.start(lab, port=None, extent=extents.Extent.API, on_step=lambda _step: None)
    assert (caught.value.finding.code, caught.value.exit_code) == ("BM0106", 2)


@pytest.mark.parametrize(
    ("was", "wanted"),
    [(extents.Extent.MESH, extents.Extent.API), (extents.Extent.NODE, extents.Extent.MESH)],
)
def test_objects_of_a_mesh_come_back_with_one_only(
    lab: paths.LabPaths, was: extents.Extent, wanted: extents.Extent
) -> None:
    lab.directory.mkdir(parents=True)
    launching.write_settings(lab, launching.LabSettings(port=7, slot=3, extent=was))
    with pytest.raises(findings.BookmeshError, match=f"{was.described}, and cannot") as caught:
        launching.start(lab, port=None, extent=wanted, on_step=lambda _step: None)
    assert (caught.value.finding.code, caught.value.exit_code) == ("BM0140", 2)


def test_settings_of_an_earlier_version_are_those_of_a_mesh(lab: paths.LabPaths) -> None:
    lab.directory.mkdir(parents=True)
    lab.settings.write_text('{"port": 7, "slot": 3}')
    assert launching.read_settings(lab) == launching.LabSettings(7, 3, extent=extents.Extent.MESH)


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


def test_a_host_that_forbids_namespaces_is_told_by_the_check(
    lab: paths.LabPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    generic = findings.Finding(code="BM0101", message="the host does not allow it")
    precise = findings.Finding(code="BM0101", message="user namespaces are off", hint="sysctl …")

    def launch(*_args: object, **_kwargs: object) -> None:
        raise findings.BookmeshError(generic, exit_code=3)

    monkeypatch.setattr(launching, "_launch", launch)
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
    program = tmp_path / "stubborn-python"
    program.write_text(f"#!{sys.executable}\n{STUBBORN}")
    program.chmod(0o755)
    monkeypatch.setattr(launching.sys, "executable", str(program))
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
    assert left.wait(timeout=5) == -signal.SIGTERM


def test_a_running_lab_whose_files_were_deleted_says_so(lab: paths.LabPaths) -> None:
    pretend_to_run(lab, port=7)
    assert launching.require_running(lab).port == 7
    lab.kubeconfig.unlink()
    with pytest.raises(findings.BookmeshError) as caught:
        launching.require_running(lab)
    assert caught.value.finding.code == "BM0118"
    assert "bookmesh down" in caught.value.finding.hint


def test_stopping_removes_every_file(lab: paths.LabPaths) -> None:
    assert launching.stop(lab) is False
    (lab.directory / "pki").mkdir(parents=True)
    (lab.directory / "pki" / "key").touch()
    assert launching.stop(lab) is True
    assert not lab.directory.parent.exists()


def test_two_at_once_take_turns(lab: paths.LabPaths) -> None:
    order: list[str] = []
    inside = threading.Event()
    waiting = threading.Event()

    def second() -> None:
        inside.wait()
        waiting.set()
        with launching.exclusive(lab):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with launching.exclusive(lab):
        inside.set()
        waiting.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_lock_that_was_removed_while_it_was_waited_for_keeps_nobody_out(lab: paths.LabPaths) -> None:
    order: list[str] = []
    waiting, inside = threading.Event(), threading.Event()

    def second() -> None:
        waiting.set()
        with launching.exclusive(lab):
            inside.set()
            third.start()
            third.join(0.2)
            order.append("second")

    def last() -> None:
        with launching.exclusive(lab):
            order.append("third")

    thread, third = threading.Thread(target=second), threading.Thread(target=last)
    with launching.exclusive(lab):
        thread.start()
        waiting.wait()
        thread.join(0.2)  # it waits for the file that is removed now, as `stop` does
        launching._lock_path(lab).unlink()
    thread.join()
    third.join()
    assert order == ["second", "third"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"real_internet": True}, "with the simulated Internet, not the real one"),
        ({"hosts": "- names: [b.example]"}, "with other hosts"),
    ],
)
def test_another_internet_for_a_running_lab_is_misuse(
    lab: paths.LabPaths, wanted: dict[str, Any], said: str
) -> None:
    pretend_to_run(lab, port=7)
    lab.hosts.write_text("- names: [a.example]")
    with pytest.raises(findings.BookmeshError) as caught:
        launching.start(lab, port=None, on_step=lambda _step: None, **wanted)
    assert caught.value.finding.code == "BM0106"
    assert said in caught.value.finding.message
    same = launching.start(lab, port=None, hosts="- names: [a.example]", on_step=lambda _step: None)
    assert same[1] is False


def test_another_size_for_a_running_node_is_misuse(lab: paths.LabPaths) -> None:
    pretend_to_run(lab, port=7)
    with pytest.raises(findings.BookmeshError) as caught:
        launching.start(lab, port=None, size={"cpu": "2"}, on_step=lambda _step: None)
    assert (caught.value.finding.code, caught.value.exit_code) == ("BM0147", 2)
    assert "as large as the machine" in caught.value.finding.known
