"""Behaviour of `bookmesh.kube.controllers.endpoint_slice_mirroring` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import endpoint_slice_mirroring


@pytest.mark.parametrize(
    "path", golden_cases.inputs("endpoint_slice_mirroring"), ids=lambda path: path.name.split(".")[0]
)
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = endpoint_slice_mirroring.Seen(given["service"], tuple(given["slices"]))
    actions = endpoint_slice_mirroring.reconcile(case["desired"], seen)
    golden_cases.check(path, case, actions, update=update_golden)
