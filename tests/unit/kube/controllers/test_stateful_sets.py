"""Behaviour of `bookmesh.kube.controllers.stateful_sets` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import stateful_sets


@pytest.mark.parametrize(
    "path", golden_cases.inputs("stateful_sets"), ids=lambda path: path.name.split(".")[0]
)
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = stateful_sets.Seen(
        now=golden_cases.moment(given["now"]),
        pods=tuple(given["pods"]),
        revisions=tuple(given["revisions"]),
        claims=tuple(given.get("claims", ())),
    )
    golden_cases.check(path, case, stateful_sets.reconcile(case["desired"], seen), update=update_golden)
