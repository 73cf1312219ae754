"""Behaviour of `bookmesh.kube.controllers.disruption_budgets` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import disruption_budgets


@pytest.mark.parametrize(
    "path", golden_cases.inputs("disruption_budgets"), ids=lambda path: path.name.split(".")[0]
)
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = disruption_budgets.Seen(
        now=golden_cases.moment(given["now"]), pods=tuple(given["pods"]), replicas=given["replicas"]
    )
    golden_cases.check(path, case, disruption_budgets.reconcile(case["desired"], seen), update=update_golden)
