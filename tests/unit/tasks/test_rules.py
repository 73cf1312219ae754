from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.tasks import sample

from bookmesh.tasks import format as formats
from bookmesh.tasks import rules

ASK = {"name": "asked", "request": {"url": "http://x/"}}


def problems(tmp_path: Path, **changes: Any) -> list[rules.Problem]:
    return list(rules.check_task(msgspec.convert(sample.document(**changes), formats.Task), tmp_path))


def of_expectation(tmp_path: Path, **expectation: Any) -> list[rules.Problem]:
    return problems(
        tmp_path, steps=[{"name": "s", "apply": [sample.CONFIG_MAP], "expect": [{**ASK, **expectation}]}]
    )


def test_a_good_task_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path) == []
    assert of_expectation(tmp_path, status=200) == []


@pytest.mark.parametrize(
    ("step", "path", "words"),
    [
        ({}, "steps[0]", "found none"),
        (
            {"apply": [sample.CONFIG_MAP], "wait": {"for": "delete", "of": []}},
            "steps[0]",
            "found apply and wait",
        ),
        ({"apply": ["no.yaml"]}, "steps[0].apply[0]", 'no file "no.yaml"'),
        ({"apply": ["svc/x"]}, "steps[0].apply[0]", "no file"),
        ({"apply": [{"kind": "A"}]}, "steps[0].apply[0]", "apiVersion"),
        ({"delete": ["gone.yaml"]}, "steps[0].delete[0]", "no file"),
        ({"apply": [sample.CONFIG_MAP], "within": "20"}, "steps[0].within", "is not a duration"),
        ({"request": {"url": "ftp://x"}}, "steps[0].request.url", "does not start with"),
    ],
)
def test_a_step_is_checked(tmp_path: Path, step: dict[str, Any], path: str, words: str) -> None:
    found = problems(tmp_path, steps=[{"name": "s", "expect": [sample.LOOK], **step}])
    assert [(each.path, words in each.message) for each in found] == [(path, True)]


@pytest.mark.parametrize(
    ("expectation", "path", "words"),
    [
        ({}, "", "nothing is checked"),
        ({"status": 200, "logs": {"of": "pod/x"}}, "", "found request and logs"),
        ({"status": 200, "exit": 0}, ".exit", "does not go with request"),
        (
            {
                "logs": {"of": "pod/x", "after": {"url": "ftp://x"}},
                "output": {"contains": "x"},
                "request": None,
            },
            ".logs.after.url",
            "does not start with",
        ),
        ({"refused": True, "status": 200}, ".refused", "nothing else"),
        ({"body": {"matches": "("}}, ".body.matches", "regular expression"),
        ({"latency": {"at_most": "2"}}, ".latency.at_most", "duration"),
        ({"status": 200, "within": "soon"}, ".within", "duration"),
        ({"status": 200, "request": {"url": "http://x", "n": 0}}, ".request.n", "less than 1"),
        (
            {"status": 200, "request": {"url": "http://x", "tls": {"ca": "ca.pem"}}},
            ".request.tls.ca",
            "neither a file",
        ),
        (
            {"status": 200, "request": {"url": "http://x", "from": "curl", "session": {"url": "http://x"}}},
            ".request.session",
            "from outside",
        ),
        ({"split": {"by": "status", "weights": {"a": 1}}}, ".split", "n of 2 or more"),
    ],
)
def test_an_expectation_is_checked(
    tmp_path: Path, expectation: dict[str, Any], path: str, words: str
) -> None:
    found = of_expectation(tmp_path, **expectation)
    assert [(each.path, words in each.message) for each in found] == [(f"steps[0].expect[0]{path}", True)]


@pytest.mark.parametrize(
    ("split", "path", "words"),
    [
        ({"by": "status"}, "", "exactly one of weights and at_least"),
        ({"by": "status", "weights": {"a": -1, "b": 2}}, ".weights", "not negative"),
        ({"by": "status", "weights": {"a": 0}}, ".weights", "not all zero"),
        ({"by": "status", "weights": {"a": 1}, "confidence": 1.0}, ".confidence", "[0.5, 1)"),
        ({"by": {}, "weights": {"a": 1}}, ".by", "one of json and header"),
        ({"by": {"json": "a", "header": "b"}, "weights": {"a": 1}}, ".by", "one of json and header"),
    ],
)
def test_a_split_is_checked(tmp_path: Path, split: dict[str, Any], path: str, words: str) -> None:
    found = of_expectation(tmp_path, split=split, request={"url": "http://x", "n": 10})
    assert [(each.path, words in each.message) for each in found] == [
        (f"steps[0].expect[0].split{path}", True)
    ]


def test_names_are_checked(tmp_path: Path) -> None:
    assert problems(tmp_path, id="No Name")[0].path == "id"
    twice = [{"name": "s", "apply": [sample.CONFIG_MAP], "expect": [sample.LOOK]}] * 2
    assert problems(tmp_path, steps=twice)[0].path == "steps[1].name"
    assert "at least one step" in problems(tmp_path, steps=[])[0].message
    assert "shows nothing" in problems(tmp_path, steps=[{"name": "s", "apply": []}])[0].message


def test_a_request_may_trust_the_authority_of_a_secret(tmp_path: Path) -> None:
    ask = {**ASK, "status": 200, "request": {"url": "https://x/", "tls": {"ca": "mine"}}}
    secret = {"name": "s", "hosts": ["x"], "authority": "mine"}
    assert problems(tmp_path, steps=[{"name": "s", "secret": secret, "expect": [ask]}]) == []
    found = problems(tmp_path, steps=[{"name": "s", "secret": {**secret, "hosts": []}, "expect": [ask]}])
    assert [each.path for each in found] == ["steps[0].secret.hosts"]


def test_a_request_may_show_the_certificate_of_a_secret_that_a_step_makes(tmp_path: Path) -> None:
    secret = {"name": "s", "hosts": ["x"]}

    def found(identity: str) -> list[tuple[str, str]]:
        tls = {"ca": "ca", "identity": identity}
        ask = {**ASK, "status": 200, "request": {"url": "https://x/", "tls": tls}}
        told = problems(tmp_path, steps=[{"name": "s", "secret": secret, "expect": [ask]}])
        return [(each.path, each.message) for each in told]

    assert found("s") == []
    assert found("t") == [("steps[0].expect[0].request.tls.identity", 'no step makes a secret "t"')]
