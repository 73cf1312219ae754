"""Behaviour of `bookmesh.kube.controllers.jobs` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kube.controllers import golden_cases, lab
from tests.unit.kube.controllers.fake_client import FakeClient

from bookmesh.base.kubernetes import PODS, JsonObject
from bookmesh.kube.controllers import jobs, resources


@pytest.mark.parametrize("path", golden_cases.inputs("jobs"), ids=lambda path: path.name.split(".")[0])
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = jobs.Seen(
        now=golden_cases.moment(given["now"]), pods=tuple(given["pods"]), failure=given.get("failure", "")
    )
    golden_cases.check(path, case, jobs.reconcile(case["desired"], seen), update=update_golden)


async def test_pods_of_a_job_that_is_gone_are_let_go() -> None:
    client = FakeClient()
    reference = {"apiVersion": "batch/v1", "kind": "Job", "name": "load", "uid": "gone", "controller": True}
    pod: JsonObject = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "a",
            "namespace": "default",
            "finalizers": [jobs.TRACKING, "example.com/other"],
            "ownerReferences": [reference],
        },
        "spec": {"containers": [{"name": "c"}]},
    }
    async with lab.running(client, only=[jobs.NAME]):
        await client.create(PODS, pod)
        await lab.until(client, lambda: _finalizers(client) == ["example.com/other"])
    assert client.all(resources.JOBS) == []


def _finalizers(client: FakeClient) -> list[str]:
    found = client.find(PODS, "a")
    return list(found["metadata"].get("finalizers") or []) if found else []
