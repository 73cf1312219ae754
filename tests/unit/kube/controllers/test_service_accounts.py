"""Behaviour of `bookmesh.kube.controllers.service_accounts` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import service_accounts


@pytest.mark.parametrize(
    "path", golden_cases.inputs("service_accounts"), ids=lambda path: path.name.split(".")[0]
)
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = service_accounts.Seen(
        ca_pem=given["ca_pem"], service_account=given["service_account"], root_ca=given["root_ca"]
    )
    golden_cases.check(path, case, service_accounts.reconcile(case["desired"], seen), update=update_golden)
