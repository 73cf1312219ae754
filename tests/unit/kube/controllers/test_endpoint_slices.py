"""Behaviour of `bookmesh.kube.controllers.endpoint_slices` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bookmesh.kube.controllers import endpoint_slices
from tests.unit.kube.controllers import golden_cases


@pytest.mark.parametrize("path", golden_cases.inputs("endpoint_slices"), ids=lambda path: path.name.split(".")[0])
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = endpoint_slices.Seen(
        pods=tuple(given["pods"]), slices=tuple(given["slices"]), nodes=tuple(given.get("nodes", ()))
    )
    golden_cases.check(path, case, endpoint_slices.reconcile(case["desired"], seen), update=update_golden)
