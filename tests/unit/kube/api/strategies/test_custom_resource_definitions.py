"""The status of definitions over changes."""

from __future__ import annotations

from bookmesh.base.kubernetes import CUSTOM_RESOURCE_DEFINITIONS, JsonObject, copy_json
from bookmesh.kube.api import verbs


def test_versions_that_were_ever_stored_are_remembered(over: verbs.Verbs, definition: JsonObject) -> None:
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    changed = copy_json(definition)
    first, second = changed["spec"]["versions"]
    first["storage"], second["storage"] = False, True
    after = over.update(CUSTOM_RESOURCE_DEFINITIONS, "routes.example.com", "", changed).object
    assert after["status"]["storedVersions"] == ["v1", "v1beta1"]


def test_same_definition_again_changes_nothing(over: verbs.Verbs, definition: JsonObject) -> None:
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    version = over.store.version
    over.update(CUSTOM_RESOURCE_DEFINITIONS, "routes.example.com", "", definition)
    assert over.store.version == version
