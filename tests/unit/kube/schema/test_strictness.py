"""Unknown fields: found with their paths, dropped by pruning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bookmesh.base.kubernetes import copy_json
from bookmesh.kube.schema import kinds, schemas, strictness

Widgets = tuple[schemas.Schemas, kinds.Kind]


def test_unknown_fields_have_paths_in_document_order(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind], deployment: dict[str, Any]
) -> None:
    deployment["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"
    deployment["spec"]["foo"] = {"bar": 1}
    deployment["metadata"]["bar"] = 1
    assert strictness.unknown_fields(loaded, kind_of("Deployment"), deployment) == [
        "metadata.bar",
        "spec.template.spec.containers[0].imagee",
        "spec.foo",
    ]


def test_pruning_drops_exactly_the_unknown_fields(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind], deployment: dict[str, Any]
) -> None:
    clean = copy_json(deployment)
    deployment["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"
    deployment["foo"] = [1]
    strictness.prune(loaded, kind_of("Deployment"), deployment)
    assert deployment == clean


def test_keys_of_maps_are_data_not_fields(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind]
) -> None:
    config_map = {"metadata": {"labels": {"any": "thing"}}, "data": {"foo": "bar"}}
    assert strictness.unknown_fields(loaded, kind_of("ConfigMap"), config_map) == []


def test_nulls_of_built_in_kinds_are_absent_fields(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind]
) -> None:
    config_map = {
        "metadata": {"creationTimestamp": None, "name": "c"},
        "data": {"a": None},
        "binaryData": None,
    }
    strictness.prune(loaded, kind_of("ConfigMap"), config_map)
    assert config_map == {"metadata": {"name": "c"}, "data": {"a": ""}}


def test_null_for_a_list_that_must_be_there_is_an_empty_one(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind]
) -> None:
    pod: dict[str, Any] = {"metadata": {"name": "p"}, "spec": {"containers": None, "volumes": None}}
    strictness.prune(loaded, kind_of("Pod"), pod)
    assert pod["spec"] == {"containers": []}


def test_nulls_that_a_custom_object_may_not_have_are_absent_fields(
    widgets: Widgets, widget: Callable[..., dict[str, Any]]
) -> None:
    obj = widget(name=None, nothing=None, mode=None, rules=[{"name": None}], labels={"x": None})
    strictness.prune(*widgets, obj)
    assert obj["spec"] == {"hosts": ["a"], "nothing": None, "mode": None, "rules": [{}], "labels": {}}


def test_custom_objects_keep_what_their_schema_leaves_open(
    widgets: Widgets, widget: Callable[..., dict[str, Any]]
) -> None:
    obj = widget(
        free={"any": {"thing": None}}, labels={"x": "y"}, nothing=None, foo=1, rules=[{"name": "a", "b": 2}]
    )
    assert strictness.unknown_fields(*widgets, obj) == ["spec.foo", "spec.rules[0].b"]
    strictness.prune(*widgets, obj)
    assert obj["spec"] == {
        "hosts": ["a"],
        "free": {"any": {"thing": None}},
        "labels": {"x": "y"},
        "nothing": None,
        "rules": [{"name": "a"}],
    }


def test_metadata_of_custom_objects_is_strict_too(
    widgets: Widgets, widget: Callable[..., dict[str, Any]]
) -> None:
    obj = widget()
    obj["metadata"]["foo"] = 1
    assert strictness.unknown_fields(*widgets, obj) == ["metadata.foo"]


def test_a_schema_inside_a_definition_may_hold_anything_it_may_hold(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind], widget_crd: dict[str, Any]
) -> None:
    assert strictness.unknown_fields(loaded, kind_of("CustomResourceDefinition"), widget_crd) == []
    widget_crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["propertys"] = {}
    assert strictness.unknown_fields(loaded, kind_of("CustomResourceDefinition"), widget_crd) == [
        "spec.versions[0].schema.openAPIV3Schema.propertys"
    ]
