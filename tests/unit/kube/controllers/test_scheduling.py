"""Behaviour of `bookmesh.kube.controllers.scheduling` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import scheduling, volume_binding


@pytest.mark.parametrize("path", golden_cases.inputs("scheduling"), ids=lambda path: path.name.split(".")[0])
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = scheduling.Seen(
        now=golden_cases.moment(given["now"]),
        nodes=tuple(given["nodes"]),
        pods=tuple(given.get("pods", ())),
        volumes=volume_binding.Seen(
            {each["metadata"]["name"]: each for each in given.get("claims", ())},
            given.get("volumes", ()),
            {each["metadata"]["name"]: each for each in given.get("classes", ())},
        ),
    )
    golden_cases.check(path, case, scheduling.reconcile(case["desired"], seen), update=update_golden)
