"""Behaviour of `bookmesh.kube.controllers.daemon_sets` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import daemon_sets


@pytest.mark.parametrize("path", golden_cases.inputs("daemon_sets"), ids=lambda path: path.name.split(".")[0])
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = daemon_sets.Seen(
        now=golden_cases.moment(given["now"]),
        nodes=tuple(given["nodes"]),
        pods=tuple(given["pods"]),
        revisions=tuple(given["revisions"]),
    )
    golden_cases.check(path, case, daemon_sets.reconcile(case["desired"], seen), update=update_golden)
