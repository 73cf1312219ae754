from __future__ import annotations

from typing import Any

from bookmesh.mesh.gateway_api import statuses

OURS = "istio.io/gateway-controller"
ACCEPTED = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "Route was valid"}


def parent(name: str, *, controller: str = OURS, **condition: Any) -> dict[str, Any]:
    return {
        "parentRef": {"kind": "Gateway", "name": name},
        "controllerName": controller,
        "conditions": [{**ACCEPTED, **condition}],
    }


def settle(wanted: Any, current: Any, *, generation: int = 2, now: str = "now") -> Any:
    return statuses.settle(wanted, current, generation=generation, now=now)


def test_a_new_status_gets_time_and_generation() -> None:
    found = settle({"conditions": [ACCEPTED]}, {})
    assert found == {"conditions": [{**ACCEPTED, "observedGeneration": 2, "lastTransitionTime": "now"}]}


def test_what_is_there_is_not_written_again() -> None:
    wanted = {"parents": [parent("edge")], "conditions": [ACCEPTED]}
    assert settle(wanted, settle(wanted, {}), now="later") is None


def test_the_generation_goes_on_and_the_time_stays_until_a_condition_turns() -> None:
    before = settle({"parents": [parent("edge")]}, {}, generation=1, now="then")
    same = settle({"parents": [parent("edge", message="other words")]}, before)
    assert same["parents"][0]["conditions"][0]["observedGeneration"] == 2
    assert same["parents"][0]["conditions"][0]["lastTransitionTime"] == "then"
    turned = settle({"parents": [parent("edge", status="False")]}, before)
    assert turned["parents"][0]["conditions"][0]["lastTransitionTime"] == "now"


def test_other_controllers_keep_what_they_said() -> None:
    theirs = parent("edge", controller="example.com/controller")
    found = settle({"parents": [parent("edge")]}, {"parents": [theirs]})
    assert [each["controllerName"] for each in found["parents"]] == ["example.com/controller", OURS]
    assert found["parents"][0] == theirs


def test_a_route_that_is_nobody_s_loses_what_we_said_only() -> None:
    theirs = parent("edge", controller="example.com/controller")
    assert settle(None, {"parents": [theirs, parent("edge")]}) == {"parents": [theirs]}
    assert settle(None, {"parents": [theirs]}) is None
    assert settle(None, {}) is None


def test_a_parent_that_is_no_longer_named_goes() -> None:
    before = settle({"parents": [parent("one"), parent("two")]}, {})
    after = settle({"parents": [parent("two")]}, before)
    assert [each["parentRef"]["name"] for each in after["parents"]] == ["two"]


def test_listeners_keep_their_times_by_name() -> None:
    listener = {"name": "http", "attachedRoutes": 0, "conditions": [ACCEPTED]}
    before = settle({"listeners": [listener]}, {}, now="then")
    other = {**listener, "name": "https"}
    after = settle({"listeners": [other, {**listener, "attachedRoutes": 3}]}, before)
    assert [each["conditions"][0]["lastTransitionTime"] for each in after["listeners"]] == ["now", "then"]
    assert after["listeners"][1]["attachedRoutes"] == 3


def test_conditions_of_other_types_stay() -> None:
    other = {"type": "Theirs", "status": "True"}
    found = settle({"conditions": [ACCEPTED]}, {"conditions": [other]})
    assert [each["type"] for each in found["conditions"]] == ["Accepted", "Theirs"]
