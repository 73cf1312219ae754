"""Behaviour of `bookmesh.kube.controllers.endpoints` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import endpoints


@pytest.mark.parametrize("path", golden_cases.inputs("endpoints"), ids=lambda path: path.name.split(".")[0])
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = endpoints.Seen(pods=tuple(given["pods"]), endpoints=given["endpoints"])
    golden_cases.check(path, case, endpoints.reconcile(case["desired"], seen), update=update_golden)
