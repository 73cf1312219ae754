from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from tests.unit.tasks import sample

from bookmesh.base.findings import Finding
from bookmesh.tasks.reports import plain


def test_json_has_all_records() -> None:
    body = json.loads(plain.as_json([sample.result(), sample.result("failed")], 3.0))
    assert (body["passed"], body["took_s"]) == (False, 3.0)
    assert [task["outcome"] for task in body["tasks"]] == ["passed", "failed"]
    assert body["tasks"][0]["steps"][0]["expectations"][0]["after"]["verdicts"][0]["bars"][0]["seen"] == 97
    assert body["tasks"][1]["message"] == sample.FINDING.message
    assert body["where_s"]["waiting for pods"] == 0.8


def test_junit_has_a_case_an_expectation() -> None:
    root = ET.fromstring(
        plain.as_junit([sample.result(), sample.result("failed"), sample.result("broken")], 3.0)
    )
    assert [(s.get("tests"), s.get("failures"), s.get("errors")) for s in root] == [
        ("1", "0", "0"), ("1", "1", "0"), ("1", "0", "1")
    ]  # fmt: skip
    case = root.find("testsuite/testcase")
    assert case is not None
    assert case.get("name") == "half to v3: half <each>"


def test_junit_tells_of_a_task_that_failed_outside_of_its_expectations() -> None:
    lost = sample.result("failed", steps=(), findings=(Finding(code="BM0410", message="no cluster\x00"),))
    root = ET.fromstring(plain.as_junit([lost], 3.0))
    error = root.find("testsuite/testcase/error")
    assert error is not None
    assert error.get("message") == "no cluster"


def test_github_gets_an_annotation_at_the_line() -> None:
    wrong = Finding(code="BM0409", message="a\nb: 100%", where="tasks/x/task.yaml:7  elsewhere")
    lines = plain.as_github([sample.result(), sample.result("failed", findings=(wrong, sample.FINDING))])
    first, second = lines.splitlines()
    assert first == (
        "::error file=tasks/traffic/shift/task.yaml,line=7,title=traffic/shift::error[BM0409]: a%0Ab: 100%25%0A"
        "  where: tasks/x/task.yaml:7  elsewhere"
    )
    assert ",line=9," in second
    assert plain.as_github([sample.result()]) == "::notice title=bookmesh::1 task passed, 1 check held"
