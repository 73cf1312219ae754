"""CRDs: served at once, gone with their objects, names that conflict."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import CUSTOM_RESOURCE_DEFINITIONS, ApiError, JsonObject, Resource, copy_json
from bookmesh.kube.api import custom_resources, verbs
from bookmesh.kube.schema import kinds, schemas

ROUTES = Resource("example.com", "v1", "routes")


def _route(**metadata: object) -> JsonObject:
    return {"metadata": {"name": "a", "namespace": "default", **metadata}}


def test_kind_is_served_and_established_at_once(over: verbs.Verbs, definition: JsonObject) -> None:
    created = over.create(CUSTOM_RESOURCE_DEFINITIONS, definition).object
    conditions = {entry["type"]: entry["status"] for entry in created["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    assert created["status"]["storedVersions"] == ["v1"]
    assert created["status"]["acceptedNames"]["singular"] == "route"
    assert over.create(ROUTES, _route()).object["kind"] == "Route"


def test_changed_schema_counts_at_once(over: verbs.Verbs, definition: JsonObject) -> None:
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    revision = over.custom.revision
    changed = copy_json(definition)
    schema = changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    schema["properties"]["host"] = {"type": "integer"}
    over.update(CUSTOM_RESOURCE_DEFINITIONS, "routes.example.com", "", changed)
    assert over.custom.revision > revision
    with pytest.raises(ApiError, match=r"spec\.host"):
        over.create(ROUTES, {**_route(), "spec": {"host": "x"}})


def test_definitions_of_an_earlier_run_are_served(over: verbs.Verbs, definition: JsonObject) -> None:
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    again = verbs.Verbs(over.store, kinds.Kinds(), schemas.Schemas.load())
    assert again.kind_of(ROUTES).kind == "Route"


def test_deletion_takes_the_objects_along(over: verbs.Verbs, definition: JsonObject) -> None:
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    over.create(ROUTES, _route())
    assert over.delete(CUSTOM_RESOURCE_DEFINITIONS, "routes.example.com").is_gone
    with pytest.raises(ApiError, match="could not find the requested resource"):
        over.list(ROUTES)
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    assert over.list(ROUTES) == []


def test_object_with_a_finalizer_holds_its_definition(over: verbs.Verbs, definition: JsonObject) -> None:
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    over.create(ROUTES, _route(finalizers=["example.com/hold"]))
    assert not over.delete(CUSTOM_RESOURCE_DEFINITIONS, "routes.example.com").is_gone
    assert "deletionTimestamp" in over.get(ROUTES, "a", "default").object["metadata"]
    over.patch(ROUTES, "a", "default", {"metadata": {"finalizers": []}}, patch_type="merge")
    with pytest.raises(ApiError, match="not found"):
        over.get(CUSTOM_RESOURCE_DEFINITIONS, "routes.example.com")


def test_second_definition_of_a_kind_is_not_served(over: verbs.Verbs, definition: JsonObject) -> None:
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    second = copy_json(definition)
    second["metadata"]["name"] = "paths.example.com"
    second["spec"]["names"]["plural"] = "paths"
    created = over.create(CUSTOM_RESOURCE_DEFINITIONS, second).object
    assert not custom_resources.is_accepted(created)
    assert created["status"]["conditions"][0]["reason"] == "KindConflict"
    with pytest.raises(ApiError):
        over.list(Resource("example.com", "v1", "paths"))
    over.delete(CUSTOM_RESOURCE_DEFINITIONS, "paths.example.com")
    assert over.kind_of(ROUTES)


def test_custom_object_keeps_its_status_apart(over: verbs.Verbs, definition: JsonObject) -> None:
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    over.create(ROUTES, _route())
    status = {"status": {"seen": True}}
    over.patch(ROUTES, "a", "default", status, patch_type="merge", subresource="status")
    after = over.patch(ROUTES, "a", "default", {"spec": {"host": "x"}}, patch_type="merge").object
    assert (after["status"], after["metadata"]["generation"]) == ({"seen": True}, 2)
