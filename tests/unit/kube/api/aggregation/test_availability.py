"""The condition of an APIService, from what is stored about its Service."""

from __future__ import annotations

import pytest
from tests.unit.kube.api.aggregation.test_registrations import registration

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.aggregation import availability

SERVICE: JsonObject = {"spec": {"type": "ClusterIP", "ports": [{"name": "https", "port": 443}]}}
SLICE: JsonObject = {"endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"name": "https", "port": 8443}]}
UNREADY: JsonObject = {**SLICE, "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": False}}]}


@pytest.mark.parametrize(
    ("service", "slices", "reason"),
    [
        (None, [], "ServiceNotFound"),
        ({"spec": {"ports": [{"port": 80}]}}, [SLICE], "ServicePortError"),
        (SERVICE, [], "EndpointsNotFound"),
        (SERVICE, [UNREADY], "MissingEndpoints"),
        (SERVICE, [{**SLICE, "ports": [{"name": "other", "port": 1}]}], "MissingEndpoints"),
        (SERVICE, [UNREADY, SLICE], None),
        ({"spec": {"type": "LoadBalancer", "ports": []}}, [], None),
    ],
)
def test_what_stands_in_the_way(
    service: JsonObject | None, slices: list[JsonObject], reason: str | None
) -> None:
    found = availability.find_obstacle(registration(), service, slices)
    assert (found and found.reason) == reason


def test_the_time_of_a_condition_is_that_of_its_last_change() -> None:
    gone = availability.find_obstacle(registration(), None, [])
    assert gone is not None
    first = gone.condition([], "t1")
    assert (first["status"], first["lastTransitionTime"]) == ("False", "t1")
    other = availability.Finding(False, "MissingEndpoints", "").condition([first], "t2")
    assert (other["reason"], other["lastTransitionTime"]) == ("MissingEndpoints", "t1")
    assert availability.PASSED.condition([other], "t3")["lastTransitionTime"] == "t3"
