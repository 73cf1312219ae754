"""Codes, places and advice; when each is told is tested with `running`."""

from __future__ import annotations

from pathlib import Path

from tests.unit.tasks import sample

from bookmesh.base import messages
from bookmesh.base.findings import Finding
from bookmesh.tasks.failures import Failures
from bookmesh.tasks.records import Attempt, Observation, Verdict

SEEN = Attempt(
    0.0, 0.1, Observation(), (Verdict(True, "status 200"), Verdict(False, "header a: there is none"))
)


def told(folder: Path) -> dict[str, Finding]:
    about = Failures(sample.load(folder, elsewhere=[{"kind": "ClusterRole", "name": "r"}]))
    found = (
        about.shows_nothing(0, 0, SEEN),
        about.does_not_hold(0, 0, SEEN, attempts=3, took_s=2.0),
        about.does_not_hold_before(0, 0, SEEN),
        about.action_failed(0, "apply", "kubectl apply: no\nweb-1 ErrImagePull", warnings=["Pod a: b"]),
        about.strays(0, "apply", ["Role other/r"]),
        about.is_there_already(["ClusterRole r"]),
        about.left_behind(["namespace n (Terminating)"]),
        about.cluster_failed("kubectl get: refused\nis it running?"),
    )
    return {finding.code: finding for finding in found}


def test_every_failure_has_a_code_of_its_own_a_place_and_advice(tmp_path: Path) -> None:
    found = told(tmp_path)
    assert sorted(found) == [f"BM04{number:02}" for number in range(3, 11)]
    assert set(found) <= set(messages.MESSAGES)
    assert all(each.where.startswith(str(tmp_path / "task.yaml")) and each.hint for each in found.values())


def test_places_are_lines_of_the_file(tmp_path: Path) -> None:
    found = told(tmp_path)
    lines = (tmp_path / "task.yaml").read_text().splitlines()
    for code, path, text in (
        ("BM0403", "steps[0].expect[0]", "- name: the light is on"),
        ("BM0406", "steps[0].apply", "apply:"),
        ("BM0408", "elsewhere", "elsewhere:"),
    ):
        place, _, told_path = found[code].where.partition("  ")
        assert told_path == path
        assert lines[int(place.rpartition(":")[2]) - 1].strip() == text


def test_what_was_seen_is_told(tmp_path: Path) -> None:
    found = told(tmp_path)
    assert found["BM0403"].known == "status 200"
    assert found["BM0404"].message == "switch it on: the light is on: header a: there is none"
    assert found["BM0404"].known == "tried 3 times in 2.0 s"
    assert found["BM0405"].known == "header a: there is none"
    assert found["BM0406"].known == "web-1 ErrImagePull\nthe cluster warns: Pod a: b"
    assert found["BM0407"].message.endswith("not declared in elsewhere: Role other/r")
    assert found["BM0410"].known == "is it running?"
