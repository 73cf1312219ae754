"""Which schemas a definition may have."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.schema.semantics import structural_schemas

TEXT: dict[str, Any] = {"type": "string"}
ELEMENT = {
    "type": "object",
    "properties": {"name": TEXT, "other": {**TEXT, "default": ""}},
    "required": ["name"],
}
MAP = {
    "type": "array",
    "items": ELEMENT,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
}
UNION = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}


def rules(*texts: str, **more: Any) -> dict[str, Any]:
    return {**TEXT, "x-kubernetes-validations": [{"rule": text, **more} for text in texts]}


@pytest.mark.parametrize(
    "schema",
    [
        TEXT,
        MAP,
        {**MAP, "x-kubernetes-list-map-keys": ["name", "other"]},
        UNION,
        {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        {"x-kubernetes-preserve-unknown-fields": True},
        {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
        {"type": "object", "properties": {"a": TEXT}, "oneOf": [{"required": ["a"]}]},
        rules("self == oldSelf", message="fixed", reason="FieldValueForbidden"),
        {**MAP, "items": {**ELEMENT, "properties": {"name": rules("self == oldSelf")}}},
        {**rules("self.?a.orValue('') == ''"), "type": "object", "properties": {"a": TEXT}},
    ],
)
def test_good_schemas(schema: dict[str, Any]) -> None:
    assert structural_schemas.check_schema(schema, "s") == []


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({}, "s.type"),
        ({"type": "text"}, "s.type"),
        ({**UNION, "type": "string"}, "s.type"),
        ({"type": "array"}, "s.items"),
        ({"type": "array", "items": {}}, "s.items.type"),
        ({"type": "object", "properties": {"a": {}}}, "s.properties[a].type"),
        ({"type": "object", "additionalProperties": {}}, "s.additionalProperties.type"),
        (
            {"type": "object", "properties": {"a": TEXT}, "additionalProperties": TEXT},
            "s.additionalProperties",
        ),
        ({"type": "object", "x-kubernetes-embedded-resource": True}, "s.properties"),
        ({**TEXT, "pattern": "("}, "s.pattern"),
        ({**TEXT, "$ref": "#/x"}, "s.$ref"),
        ({"type": "array", "items": TEXT, "uniqueItems": True}, "s.uniqueItems"),
        (
            {"type": "object", "x-kubernetes-preserve-unknown-fields": False},
            "s.x-kubernetes-preserve-unknown-fields",
        ),
        ({**TEXT, "x-kubernetes-list-type": "set"}, "s.type"),
        ({"type": "array", "items": TEXT, "x-kubernetes-list-type": "bag"}, "s.x-kubernetes-list-type"),
        ({**MAP, "x-kubernetes-list-type": "set"}, "s.x-kubernetes-list-type"),
        ({**MAP, "x-kubernetes-list-map-keys": []}, "s.x-kubernetes-list-map-keys"),
        ({**MAP, "x-kubernetes-list-map-keys": ["x"]}, "s.x-kubernetes-list-map-keys[0]"),
        ({**MAP, "items": TEXT}, "s.items.type"),
        ({**MAP, "items": {**ELEMENT, "required": []}}, "s.items.properties[name].default"),
        ({"type": "object", "anyOf": [{"type": "object"}]}, "s.anyOf[0].type"),
        ({"type": "object", "allOf": [{"default": {"a": 1}}]}, "s.allOf[0].default"),
        ({**TEXT, "not": {"nullable": True}}, "s.not.nullable"),
        (rules(" "), "s.x-kubernetes-validations[0].rule"),
        (rules("self =="), "s.x-kubernetes-validations[0].rule"),
        (rules("other == 1"), "s.x-kubernetes-validations[0].rule"),
        (rules("true", message=" "), "s.x-kubernetes-validations[0].message"),
        (rules("true", message="a\nb"), "s.x-kubernetes-validations[0].message"),
        (rules("true ||\nfalse"), "s.x-kubernetes-validations[0].message"),
        (rules("true", reason="Because"), "s.x-kubernetes-validations[0].reason"),
        (rules("true", messageExpression="'a' +"), "s.x-kubernetes-validations[0].messageExpression"),
        (
            {"type": "array", "items": rules("self == oldSelf")},
            "s.items.x-kubernetes-validations[0].rule",
        ),
    ],
)
def test_schemas_that_cannot_be(schema: dict[str, Any], field: str) -> None:
    assert [cause.field for cause in structural_schemas.check_schema(schema, "s")] == [field]


def test_rules_speak_of_fields_that_are_there() -> None:
    schema = {**rules("self.b == ''"), "type": "object", "properties": {"a": TEXT}}
    (found,) = structural_schemas.check_schema(schema, "s")
    assert "undefined field 'b'" in found.message


def test_of_the_metadata_of_whole_objects_rules_see_the_name() -> None:
    schema = {**rules("self.metadata.name == self.kind"), "type": "object"}
    assert structural_schemas.check_schema(schema, "s", is_root=True) == []
    schema = {**rules("self.metadata.labels.size() == 0"), "type": "object"}
    (found,) = structural_schemas.check_schema(schema, "s", is_root=True)
    assert "undefined field 'labels'" in found.message


def test_a_rule_gives_a_bool_and_a_message_a_text() -> None:
    (found,) = structural_schemas.check_schema(rules("self"), "s")
    assert "must evaluate to a bool" in found.message
    number = {"type": "integer"}
    (found,) = structural_schemas.check_schema({**rules("self > 0", messageExpression="self"), **number}, "s")
    assert "must evaluate to a string" in found.message
