"""Behaviour of `bookmesh.kube.controllers.endpoint_slices` as a table (see `golden_cases`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.kube.controllers import golden_cases

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import actions, endpoint_slices


@pytest.mark.parametrize(
    "path", golden_cases.inputs("endpoint_slices"), ids=lambda path: path.name.split(".")[0]
)
def test_actions_are_as_in_the_table(path: Path, update_golden: bool) -> None:
    case = golden_cases.load(path)
    given = case["seen"]
    seen = endpoint_slices.Seen(
        pods=tuple(given["pods"]), slices=tuple(given["slices"]), nodes=tuple(given.get("nodes", ()))
    )
    golden_cases.check(path, case, endpoint_slices.reconcile(case["desired"], seen), update=update_golden)


SERVICE: JsonObject = {
    "metadata": {"name": "web", "namespace": "default", "uid": "uid-web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}


def pods(count: int) -> tuple[JsonObject, ...]:
    return tuple(
        {
            "metadata": {
                "name": f"p{n:03}",
                "namespace": "default",
                "uid": f"uid-{n}",
                "labels": {"app": "web"},
            },
            "spec": {"containers": []},
            "status": {"podIP": f"10.0.{n // 250}.{n % 250}"},
        }
        for n in range(count)
    )


def stored(wanted: actions.Actions) -> tuple[JsonObject, ...]:
    slices: list[Any] = []
    for number, action in enumerate(wanted):
        assert isinstance(action, actions.Create)
        metadata = {**action.object["metadata"], "name": f"web-{number}", "uid": f"uid-slice-{number}"}
        slices.append({**action.object, "metadata": {**metadata, "resourceVersion": "1"}})
    return tuple(slices)


def test_a_slice_has_at_most_a_hundred_endpoints() -> None:
    wanted = endpoint_slices.reconcile(SERVICE, endpoint_slices.Seen(pods=pods(250), slices=()))
    assert [len(each["endpoints"]) for each in stored(wanted)] == [100, 100, 50]


def test_one_pod_less_rewrites_one_slice() -> None:
    slices = stored(endpoint_slices.reconcile(SERVICE, endpoint_slices.Seen(pods=pods(250), slices=())))
    fewer = tuple(pod for pod in pods(250) if pod["metadata"]["name"] != "p150")
    (action,) = endpoint_slices.reconcile(SERVICE, endpoint_slices.Seen(pods=fewer, slices=slices))
    assert isinstance(action, actions.Update)
    assert action.object["metadata"]["name"] == "web-1"


def test_one_pod_more_fills_a_slice_that_has_room() -> None:
    slices = stored(endpoint_slices.reconcile(SERVICE, endpoint_slices.Seen(pods=pods(250), slices=())))
    (action,) = endpoint_slices.reconcile(SERVICE, endpoint_slices.Seen(pods=pods(251), slices=slices))
    assert isinstance(action, actions.Update)
    assert len(action.object["endpoints"]) == 51
