from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.tasks import sample
from tests.unit.tasks.fake_kubectl import FakeKubectl

from bookmesh.tasks import running, verifying
from bookmesh.tasks.records import Result


class Notes:
    def __init__(self) -> None:
        self.steps: list[tuple[str, str]] = []
        self.results: list[Result] = []

    def on_step(self, key: str, step: str) -> None:
        self.steps.append((key, step))

    def on_result(self, result: Result) -> None:
        self.results.append(result)


def test_results_are_in_the_order_of_the_tasks(tmp_path: Path) -> None:
    tasks = [sample.load(tmp_path / name, id=name) for name in ("c", "a", "b")]
    notes = Notes()
    cluster = running.Cluster(FakeKubectl(), frozenset())
    results = verifying.verify(tasks, cluster, jobs=3, listener=notes)
    assert [result.key for result in results] == ["c", "a", "b"]
    assert {result.key for result in notes.results} == {"a", "b", "c"}
    assert ("a", "switch it on") in notes.steps
    assert notes.steps[-1][1] == "cleaning up"


def test_a_worker_that_breaks_ends_the_verification(tmp_path: Path) -> None:
    class Broken(Notes):
        def on_result(self, result: Result) -> None:
            raise RuntimeError("the listener is gone")

    tasks = [sample.load(tmp_path / name, id=name) for name in ("a", "b", "c")]
    kubectl = FakeKubectl()
    with pytest.raises(RuntimeError, match="the listener is gone"):
        verifying.verify(tasks, running.Cluster(kubectl, frozenset()), jobs=1, listener=Broken())
    assert len(kubectl.namespaces) == 1


def test_tasks_are_selected_by_key_id_or_folder(tmp_path: Path) -> None:
    sample.write(tmp_path / "area" / "one", id="one")
    sample.write(tmp_path / "area" / "deep" / "two", id="two")
    from bookmesh.tasks import loading

    tasks = loading.discover(tmp_path)
    for patterns, expected in (
        (["one"], ["area/one"]),
        (["area/deep/"], ["area/deep/two"]),
        (["t*", "area/one"], ["area/deep/two", "area/one"]),
        (["none"], []),
    ):
        assert [each.key for each in verifying.select(tasks, patterns)] == expected
    for part, expected in (
        ("deep", ["area/deep/two"]),
        ("area/", ["area/deep/two", "area/one"]),
        ("deep*", []),
        ("*deep*", ["area/deep/two"]),
    ):
        assert [each.key for each in verifying.select(tasks, [part], by_part=True)] == expected
