"""Small tasks and records to test with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

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
    message = "" if holds else "of 200 answers: v1 97"
    expectation = ExpectationResult(
        "half <each>", "GET http://reviews:9080", outcome, message, before, after, attempts=1
    )
    step = StepResult(
        "half to v3", "apply", outcome, message, 0.5, 0.2, 1.5, "kind: A # <x>\n", "created", (expectation,)
    )
    fields: dict[str, Any] = {
        "key": "traffic/shift", "title": "Shift & go", "page": "https://istio.io/x", "summary": "What it shows.",
        "file": "tasks/traffic/shift/task.yaml", "namespace": "task-shift-abcde", "outcome": outcome,
        "message": f"half to v3: {message}" if message else "", "began_at_s": 0.0, "took_s": 3.0, "steps": (step,),
        "cleaned_s": 0.5,
    }  # fmt: skip
    return Result(**fields | changes)
