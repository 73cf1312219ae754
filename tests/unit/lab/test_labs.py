from __future__ import annotations

import threading

import pytest
from tests.unit.lab.conftest import pretend_to_run

from bookmesh.base import findings
from bookmesh.lab import extents, labs, paths


def test_settings_survive(lab: paths.LabPaths) -> None:
    assert labs.read_settings(lab) is None
    lab.directory.mkdir(parents=True)
    labs.write_settings(lab, labs.LabSettings(port=7, slot=3))
    assert labs.read_settings(lab) == labs.LabSettings(port=7, slot=3)


def test_settings_of_an_earlier_version_are_those_of_a_mesh(lab: paths.LabPaths) -> None:
    lab.directory.mkdir(parents=True)
    lab.settings.write_text('{"port": 7, "slot": 3}')
    assert labs.read_settings(lab) == labs.LabSettings(7, 3, extent=extents.Extent.MESH)


def test_a_running_lab_whose_files_were_deleted_says_so(lab: paths.LabPaths) -> None:
    pretend_to_run(lab, port=7)
    assert labs.require_running(lab).port == 7
    lab.kubeconfig.unlink()
    with pytest.raises(findings.BookmeshError) as caught:
        labs.require_running(lab)
    assert caught.value.finding.code == "BM0118"
    assert "bookmesh down" in caught.value.finding.hint


def test_two_at_once_take_turns(lab: paths.LabPaths) -> None:
    order: list[str] = []
    inside = threading.Event()
    waiting = threading.Event()

    def second() -> None:
        inside.wait()
        waiting.set()
        with labs.exclusive(lab):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with labs.exclusive(lab):
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
        with labs.exclusive(lab):
            inside.set()
            third.start()
            third.join(0.2)
            order.append("second")

    def last() -> None:
        with labs.exclusive(lab):
            order.append("third")

    thread, third = threading.Thread(target=second), threading.Thread(target=last)
    with labs.exclusive(lab):
        thread.start()
        waiting.wait()
        thread.join(0.2)  # it waits for the file that is removed now, as `stop` does
        labs.lock_path(lab).unlink()
    thread.join()
    third.join()
    assert order == ["second", "third"]


def test_a_lab_that_does_not_run_is_told_with_the_one_that_does(lab: paths.LabPaths) -> None:
    with pytest.raises(findings.BookmeshError) as alone:
        labs.require_running(paths.paths_for("class"))
    assert alone.value.finding.hint == "start it: bookmesh up --name class"
    pretend_to_run(lab, port=7)
    with pytest.raises(findings.BookmeshError) as beside:
        labs.require_running(paths.paths_for("class"))
    assert (
        beside.value.finding.hint
        == "start it: bookmesh up --name class; or add --name default to the command"
    )
