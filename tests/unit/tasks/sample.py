"""Small tasks and records to test with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bookmesh.base.findings import Finding
from bookmesh.tasks import loading
from bookmesh.tasks.records import (
    Attempt,
    Bar,
    Exchange,
    ExpectationResult,
    Observation,
    Result,
    StepResult,
    Verdict,
)

FINDING = Finding(
    code="BM0404",
    message="half to v3: half <each>: of 200 answers: v1 97",
    where="tasks/traffic/shift/task.yaml:9  steps[0].expect[0]",
    known="tried 1 times in 0.1 s",
    hint="more requests",
)
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "switch"}}
LOOK = {
    "name": "the light is on",
    "exec": {"of": "deploy/x", "command": ["look"]},
    "output": {"contains": "on"},
}


def document(**changes: Any) -> dict[str, Any]:
    step = {"name": "switch it on", "apply": [CONFIG_MAP], "within": "0.2s", "expect": [LOOK]}
    return {"id": "light", "title": "A light", "steps": [step], **changes}


def write(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "task.yaml"
    file.write_text(yaml.safe_dump(document(**changes), sort_keys=False))
    return file


def load(folder: Path, **changes: Any) -> loading.LoadedTask:
    return loading.load(write(folder, **changes))


def result(outcome: Any = "passed", **changes: Any) -> Result:
    """A run with one split, which held unless the outcome says otherwise."""
    holds = outcome == "passed"
    bars = (Bar("v1", 97, 76, 124), Bar("v3", 103 if holds else 3, 76, 124))
    exchange = Exchange("GET", "http://reviews:9080/?a=<1>", 200, 0.012, body="<b>hello</b>")
    before = Attempt(
        1.0, 0.1, Observation(exchanges=(exchange,)), (Verdict(False, "v1 200 (allowed 76…124)"),)
    )
    after = Attempt(
        2.0, 0.1, Observation(exchanges=(exchange,)), (Verdict(holds, "of 200 answers: v1 97", bars),)
    )
    finding = None if holds else FINDING
    expectation = ExpectationResult(
        "half <each>", "GET http://reviews:9080", outcome, finding, before, after, attempts=1
    )
    step = StepResult(
        name="half to v3", action="apply", outcome=outcome, finding=finding, at_s=0.5, acted_s=0.6, rolled_out_s=0.4,
        took_s=1.5, detail="kind: A # <x>\n", output="created", expectations=(expectation,),
    )  # fmt: skip
    fields: dict[str, Any] = {
        "key": "traffic/shift", "title": "Shift & go", "page": "https://istio.io/x", "summary": "What it shows.",
        "file": "tasks/traffic/shift/task.yaml", "namespace": "task-shift-abcde", "outcome": outcome,
        "findings": (finding,) if finding else (), "began_at_s": 0.0, "took_s": 3.0, "steps": (step,),
        "prepared_s": 0.1, "cleaned_s": 0.5,
    }  # fmt: skip
    return Result(**fields | changes)
