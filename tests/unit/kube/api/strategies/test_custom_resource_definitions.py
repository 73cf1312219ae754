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


def test_a_rule_that_cannot_be_checked_is_told(over: verbs.Verbs, definition: JsonObject) -> None:
    (first, _) = definition["spec"]["versions"]
    schema = first["schema"]["openAPIV3Schema"]["properties"]["spec"]
    schema["x-kubernetes-validations"] = [{"rule": "self.?host.orValue('') == ''"}]
    written = over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    assert written.warnings[0].startswith("BM0130: the rule spec.versions[0].schema.openAPIV3Schema")
