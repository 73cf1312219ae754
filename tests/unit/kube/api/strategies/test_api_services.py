"""APIServices through the verbs: what is local is available at once."""

from __future__ import annotations

from tests.unit.kube.api.aggregation.test_registrations import api_service

from bookmesh.base.kubernetes import API_SERVICES
from bookmesh.kube.api import verbs


def test_a_service_is_looked_at_and_what_is_local_is_there(over: verbs.Verbs) -> None:
    made = over.create(API_SERVICES, {**api_service(), "status": {"conditions": []}}).object
    assert made.get("status") == {}
    assert "generation" not in made["metadata"]
    local = {**made, "spec": {key: value for key, value in made["spec"].items() if key != "service"}}
    (condition,) = over.update(API_SERVICES, made["metadata"]["name"], "", local).object["status"][
        "conditions"
    ]
    assert (condition["status"], condition["reason"]) == ("True", "Local")
