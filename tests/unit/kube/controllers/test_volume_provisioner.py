"""Behaviour of `bookmesh.kube.controllers.volume_provisioner` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import volume_provisioner


@pytest.mark.parametrize(
    "path", golden_cases.inputs("volume_provisioner"), ids=lambda path: path.name.split(".")[0]
)
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = volume_provisioner.Seen(
        given.get("directory", "/lab/claims"), given["storage_class"], given.get("volume")
    )
    golden_cases.check(path, case, volume_provisioner.reconcile(case["desired"], seen), update=update_golden)
