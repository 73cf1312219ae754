"""Behaviour of `bookmesh.kube.controllers.garbage_collection` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.base.kubernetes import Resource
from bookmesh.kube.controllers import garbage_collection


@pytest.mark.parametrize(
    "path", golden_cases.inputs("garbage_collection"), ids=lambda path: path.name.split(".")[0]
)
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = garbage_collection.Seen(
        resource=Resource("", "v1", given["resource"]),
        owners={uid: garbage_collection.OwnerState(state) for uid, state in given["owners"].items()},
        dependents=tuple(
            garbage_collection.Dependent(Resource("", "v1", each["resource"]), each["object"])
            for each in given["dependents"]
        ),
    )
    golden_cases.check(path, case, garbage_collection.reconcile(case["desired"], seen), update=update_golden)
