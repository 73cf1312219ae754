"""What a subresource owns of an object."""

from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject, Resource, copy_json
from bookmesh.kube.api import parts, verbs

STORED: JsonObject = {
    "spec": {"a": 1, "finalizers": ["kubernetes"]},
    "status": {"phase": "Active", "conditions": []},
}
WRITTEN: JsonObject = {
    "spec": {"a": 2, "ephemeralContainers": [{"name": "debug"}]},
    "status": {"phase": "Gone", "conditions": [{"type": "Approved"}]},
}


@pytest.mark.parametrize(
    ("part", "spec", "status"),
    [
        ("status", STORED["spec"], WRITTEN["status"]),
        ("approval", STORED["spec"], {"phase": "Active", "conditions": [{"type": "Approved"}]}),
        (
            "ephemeralcontainers",
            {**STORED["spec"], "ephemeralContainers": [{"name": "debug"}]},
            STORED["status"],
        ),
        ("finalize", {}, STORED["status"]),
    ],
)
def test_a_part_is_replaced_and_the_rest_stays(part: str, spec: JsonObject, status: JsonObject) -> None:
    before = copy_json(STORED)
    assert parts.with_part(STORED, WRITTEN, part) == {"spec": spec, "status": status}
    assert before == STORED


def test_what_nobody_owns_is_no_part() -> None:
    with pytest.raises(ApiError) as refusal:
        parts.with_part(STORED, WRITTEN, "log")
    assert refusal.value.code == 404


@pytest.mark.parametrize(
    ("resource", "has_status"),
    [(kubernetes.PODS, False), (kubernetes.NODES, True), (kubernetes.CONFIG_MAPS, True)],
)
def test_only_a_node_brings_its_status_along(over: verbs.Verbs, resource: Resource, has_status: bool) -> None:
    obj: JsonObject = {"status": {}}
    parts.drop_status(over.kind_of(resource), obj)
    assert ("status" in obj) is has_status
