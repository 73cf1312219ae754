"""Behaviour of `bookmesh.kube.controllers.deployments` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import deployments


@pytest.mark.parametrize("path", golden_cases.inputs("deployments"), ids=lambda path: path.name.split(".")[0])
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = deployments.Seen(
        now=golden_cases.moment(given["now"]),
        replica_sets=tuple(given["replica_sets"]),
        pods=tuple(given["pods"]),
    )
    golden_cases.check(path, case, deployments.reconcile(case["desired"], seen), update=update_golden)
