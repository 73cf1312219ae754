"""CustomResourceDefinitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bookmesh.base.kubernetes import copy_json

Causes = Callable[..., list[tuple[str, str]]]
Obj = dict[str, Any]


def test_the_widget_definition_is_fine(causes_of: Causes, widget_crd: Obj) -> None:
    assert causes_of(widget_crd) == []


def test_the_name_follows_from_plural_and_group(causes_of: Causes, widget_crd: Obj) -> None:
    widget_crd["metadata"]["name"] = "widget.example.com"
    ((field, message),) = causes_of(widget_crd)
    assert field == "metadata.name"
    assert message.endswith('must be spec.names.plural+"."+spec.group: widgets.example.com')


def test_exactly_one_version_is_stored(causes_of: Causes, widget_crd: Obj) -> None:
    widget_crd["spec"]["versions"][0]["storage"] = True
    assert [field for field, _ in causes_of(widget_crd)] == ["spec.versions"]


def test_versions_are_distinct_and_have_schemas(causes_of: Causes, widget_crd: Obj) -> None:
    versions = widget_crd["spec"]["versions"]
    versions[0]["name"] = "v1"
    del versions[2]["schema"]
    assert [field for field, _ in causes_of(widget_crd)] == [
        "spec.versions[1].name",
        "spec.versions[2].schema.openAPIV3Schema",
    ]


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"pattern": "(", "type": "string"}, "pattern"),
        ({"type": "text"}, "type"),
        ({}, "type"),
        ({"$ref": "#/x", "type": "object"}, "$ref"),
        ({"type": "array", "items": {}}, "items.type"),
        ({"type": "object", "additionalProperties": {}}, "additionalProperties.type"),
        ({"type": "object", "properties": {"y": {}}}, "properties[y].type"),
        ({"type": "object", "anyOf": [{"pattern": "("}]}, "anyOf[0].pattern"),
        (
            {"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object"}},
            "x-kubernetes-list-map-keys",
        ),
    ],
)
def test_schemas_must_be_usable(causes_of: Causes, widget_crd: Obj, schema: Obj, field: str) -> None:
    root = widget_crd["spec"]["versions"][1]["schema"]["openAPIV3Schema"]
    root["properties"]["x"] = schema
    assert [each for each, _ in causes_of(widget_crd)] == [
        f"spec.versions[1].schema.openAPIV3Schema.properties[x].{field}"
    ]


def test_open_schemas_need_no_type(causes_of: Causes, widget_crd: Obj) -> None:
    root = widget_crd["spec"]["versions"][1]["schema"]["openAPIV3Schema"]
    root["properties"] |= {
        "a": {"x-kubernetes-preserve-unknown-fields": True},
        "b": {"x-kubernetes-int-or-string": True},
        "c": {"type": "object", "oneOf": [{"required": ["a"]}, {"not": {"required": ["b"]}}]},
    }
    assert causes_of(widget_crd) == []


def test_scope_and_kind_stay(causes_of: Causes, widget_crd: Obj) -> None:
    changed = copy_json(widget_crd)
    changed["spec"]["scope"] = "Cluster"
    changed["spec"]["names"] |= {"kind": "Gadget"}
    assert [field for field, _ in causes_of(changed, widget_crd)] == ["spec.scope", "spec.names.kind"]


def test_webhook_conversion_is_refused(causes_of: Causes, widget_crd: Obj) -> None:
    widget_crd["spec"]["conversion"] = {"strategy": "Webhook"}
    assert causes_of(widget_crd) == [
        ("spec.conversion.strategy", 'Unsupported value: "Webhook": supported values: "None"')
    ]


def test_what_is_wrong_in_a_schema_is_told_of_each_version_that_has_it(
    causes_of: Causes, widget_crd: Obj
) -> None:
    wrong = {"type": "object", "properties": {"spec": {"properties": {}}}}
    for version in widget_crd["spec"]["versions"]:
        version["schema"] = {"openAPIV3Schema": wrong}
    found = [field for field, _ in causes_of(widget_crd)]
    wanted = [f"spec.versions[{index}]" for index in range(len(widget_crd["spec"]["versions"]))]
    assert [field.partition(".schema")[0] for field in found] == wanted
