"""Behaviour of `bookmesh.kube.controllers.claim_protection` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import claim_protection


@pytest.mark.parametrize(
    "path", golden_cases.inputs("claim_protection"), ids=lambda path: path.name.split(".")[0]
)
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    seen = claim_protection.Seen(tuple(case["seen"]["pods"]))
    golden_cases.check(path, case, claim_protection.reconcile(case["desired"], seen), update=update_golden)
