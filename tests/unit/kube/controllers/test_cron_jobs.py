"""Behaviour of `bookmesh.kube.controllers.cron_jobs` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.kube.controllers import cron_jobs


@pytest.mark.parametrize("path", golden_cases.inputs("cron_jobs"), ids=lambda path: path.name.split(".")[0])
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = cron_jobs.Seen(now=golden_cases.moment(given["now"]), jobs=tuple(given["jobs"]))
    golden_cases.check(path, case, cron_jobs.reconcile(case["desired"], seen), update=update_golden)
