"""Behaviour of `bookmesh.kube.controllers.volume_claims` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import volume_claims


@pytest.mark.parametrize(
    "path", golden_cases.inputs("volume_claims"), ids=lambda path: path.name.split(".")[0]
)
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = volume_claims.Seen(
        volumes=tuple(given.get("volumes", ())),
        storage_class=given.get("storage_class"),
        default_class=given.get("default_class"),
        waiting_pods=tuple(given.get("waiting_pods", ())),
    )
    golden_cases.check(path, case, volume_claims.reconcile(case["desired"], seen), update=update_golden)
