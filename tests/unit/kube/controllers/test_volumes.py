"""Behaviour of `bookmesh.kube.controllers.volumes` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import volumes


@pytest.mark.parametrize("path", golden_cases.inputs("volumes"), ids=lambda path: path.name.split(".")[0])
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    seen = volumes.Seen(claim=case["seen"].get("claim"))
    golden_cases.check(path, case, volumes.reconcile(case["desired"], seen), update=update_golden)
