"""Behaviour of `bookmesh.kube.controllers.namespaces` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.base.kubernetes import Resource
from bookmesh.kube.controllers import namespaces


@pytest.mark.parametrize("path", golden_cases.inputs("namespaces"), ids=lambda path: path.name.split(".")[0])
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = namespaces.Seen(
        now=golden_cases.moment(given["now"]),
        contents=tuple(
            namespaces.Content(Resource("", "v1", each["resource"]), each["object"])
            for each in given["contents"]
        ),
    )
    golden_cases.check(path, case, namespaces.reconcile(case["desired"], seen), update=update_golden)
