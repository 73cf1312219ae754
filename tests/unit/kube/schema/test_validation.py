"""What a schema refuses, in the words of an API server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bookmesh.kube.schema import defaulting, kinds, schemas, validation

Widgets = tuple[schemas.Schemas, kinds.Kind]
MakeWidget = Callable[..., dict[str, Any]]


def problems(own: schemas.Schemas, kind: kinds.Kind, obj: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(cause.field, cause.reason, cause.message) for cause in validation.check(own, kind, obj)]


def test_a_valid_object_has_no_causes(widgets: Widgets, widget: MakeWidget) -> None:
    obj = widget(size=3, port="http", labels={"a": "b"}, rules=[{"name": "x", "exact": "y"}], set=["a", "b"])
    assert problems(*widgets, obj) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"size": "3"},
            (
                "spec.size",
                "FieldValueTypeInvalid",
                'Invalid value: "string": spec.size in body must be of type integer: "string"',
            ),
        ),
        ({"hosts": None}, ("spec.hosts", "FieldValueTypeInvalid", None)),
        (
            {"mode": "C"},
            ("spec.mode", "FieldValueNotSupported", 'Unsupported value: "C": supported values: "A", "B"'),
        ),
        (
            {"size": 0},
            (
                "spec.size",
                "FieldValueInvalid",
                "Invalid value: 0: spec.size in body should be greater than or equal to 1",
            ),
        ),
        ({"size": 11}, ("spec.size", "FieldValueInvalid", None)),
        (
            {"name": "A"},
            (
                "spec.name",
                "FieldValueInvalid",
                "Invalid value: \"A\": spec.name in body should match '^[a-z]+$'",
            ),
        ),
        ({"name": "abcdef"}, ("spec.name", "FieldValueTooLong", "Too long: may not be more than 5 bytes")),
        (
            {"hosts": []},
            (
                "spec.hosts",
                "FieldValueInvalid",
                "Invalid value: 0: spec.hosts in body should have at least 1 items",
            ),
        ),
        (
            {"hosts": list("abcd")},
            ("spec.hosts", "FieldValueTooMany", "Too many: 4: must have at most 3 items"),
        ),
        (
            {"hosts": [""]},
            (
                "spec.hosts[0]",
                "FieldValueInvalid",
                'Invalid value: "": spec.hosts[0] in body should be at least 1 chars long',
            ),
        ),
        ({"hosts": [None]}, ("spec.hosts[0]", "FieldValueTypeInvalid", None)),
        ({"labels": dict.fromkeys("abc", "x")}, ("spec.labels", "FieldValueTooMany", None)),
        ({"labels": {"a": 1}}, ("spec.labels.a", "FieldValueTypeInvalid", None)),
        ({"port": 1.5}, ("spec.port", "FieldValueTypeInvalid", None)),
        ({"rules": [{}]}, ("spec.rules[0].name", "FieldValueRequired", "Required value")),
        (
            {"rules": [{"name": "x"}, {"name": "x"}]},
            ("spec.rules[1]", "FieldValueDuplicate", 'Duplicate value: {"name":"x"}'),
        ),
        ({"set": ["a", "a"]}, ("spec.set[1]", "FieldValueDuplicate", 'Duplicate value: "a"')),
        (
            {"rules": [{"name": "x", "exact": "a", "prefix": "b"}]},
            (
                "spec.rules[0]",
                "FieldValueInvalid",
                'Invalid value: "": "spec.rules[0]" must validate one and only one schema (oneOf). '
                "Found 2 valid alternatives",
            ),
        ),
    ],
)
def test_each_constraint_is_reported_once_with_its_path(
    widgets: Widgets, widget: MakeWidget, spec: dict[str, Any], expected: tuple[str, str, str | None]
) -> None:
    found = problems(*widgets, widget(**spec))
    assert len(found) == 1
    field, reason, message = found[0]
    assert (field, reason) == expected[:2]
    assert expected[2] is None or message == expected[2]


def test_required_fields_are_reported_at_their_path(widgets: Widgets, widget: MakeWidget) -> None:
    obj = widget()
    del obj["spec"]["hosts"]
    assert problems(*widgets, obj) == [("spec.hosts", "FieldValueRequired", "Required value")]


def test_null_is_a_value_where_it_is_allowed_or_defaulted(widgets: Widgets, widget: MakeWidget) -> None:
    assert problems(*widgets, widget(nothing=None, mode=None)) == []
    assert [field for field, _, _ in problems(*widgets, widget(name=None))] == ["spec.name"]


def test_all_problems_are_reported_in_order(widgets: Widgets, widget: MakeWidget) -> None:
    assert [field for field, _, _ in problems(*widgets, widget(size="x", mode="C"))] == [
        "spec.size",
        "spec.mode",
    ]


def test_built_in_kinds_take_null_for_absent(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind], deployment: dict[str, Any]
) -> None:
    deployment["metadata"]["creationTimestamp"] = None
    deployment["spec"]["strategy"] = None
    assert problems(loaded, kind_of("Deployment"), deployment) == []
    deployment["spec"]["selector"] = None
    assert problems(loaded, kind_of("Deployment"), deployment) == [
        ("spec.selector", "FieldValueRequired", "Required value")
    ]


def test_a_wrong_type_in_a_built_in_kind_names_path_and_types(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind], deployment: dict[str, Any]
) -> None:
    deployment["spec"] = {"replicas": "two", **deployment["spec"]}
    deployment["spec"]["template"]["spec"]["containers"][0]["args"] = "x"
    assert problems(loaded, kind_of("Deployment"), deployment) == [
        (
            "spec.replicas",
            "FieldValueTypeInvalid",
            'Invalid value: "string": spec.replicas in body must be of type integer: "string"',
        ),
        (
            "spec.template.spec.containers[0].args",
            "FieldValueTypeInvalid",
            'Invalid value: "string": spec.template.spec.containers[0].args in body must be of type array: "string"',
        ),
    ]


@pytest.mark.parametrize(
    ("replicas", "is_valid"), [(1, True), (True, False), (1.5, False), (2**31, False), (-(2**31), True)]
)
def test_integers_are_integers_of_their_size(
    loaded: schemas.Schemas,
    kind_of: Callable[[str], kinds.Kind],
    deployment: dict[str, Any],
    replicas: Any,
    is_valid: bool,
) -> None:
    deployment["spec"]["replicas"] = replicas
    assert (problems(loaded, kind_of("Deployment"), deployment) == []) is is_valid


def test_choices_of_built_in_kinds_are_known(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind], pod: dict[str, Any]
) -> None:
    pod["spec"]["containers"][0]["imagePullPolicy"] = "Sometimes"
    pod["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "protocol": "tcp"}]
    assert problems(loaded, kind_of("Pod"), pod) == [
        (
            "spec.containers[0].imagePullPolicy",
            "FieldValueNotSupported",
            'Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
        ),
        (
            "spec.containers[0].ports[0].protocol",
            "FieldValueNotSupported",
            'Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
        ),
    ]


def test_quantities_times_and_bytes_have_a_syntax(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind], pod: dict[str, Any]
) -> None:
    pod["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1x", "memory": "64Mi", "pods": 3}}
    pod["metadata"]["deletionTimestamp"] = "yesterday"
    assert [field for field, _, _ in problems(loaded, kind_of("Pod"), pod)] == [
        "metadata.deletionTimestamp",
        "spec.containers[0].resources.limits.cpu",
    ]
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"a": "no!", "b": "eHg="},
    }
    assert [field for field, _, _ in problems(loaded, kind_of("Secret"), secret)] == ["data.a"]


def test_the_same_container_port_may_be_named_twice(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind], pod: dict[str, Any]
) -> None:
    pod["spec"]["containers"][0]["ports"] = [{"containerPort": 80}, {"containerPort": 80}]
    assert problems(loaded, kind_of("Pod"), pod) == []


def test_a_sidecar_is_an_init_container_that_restarts_always(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind], pod: dict[str, Any]
) -> None:
    pod["spec"]["initContainers"] = [{"name": "proxy", "image": "p:1", "restartPolicy": "Always"}]
    defaulting.apply_defaults(loaded, kind_of("Pod"), pod)
    assert problems(loaded, kind_of("Pod"), pod) == []


def test_definitions_of_custom_resources_are_checked_against_their_own_schema(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind], widget_crd: dict[str, Any]
) -> None:
    assert problems(loaded, kind_of("CustomResourceDefinition"), widget_crd) == []
    widget_crd["spec"]["scope"] = "Galaxy"
    del widget_crd["spec"]["names"]["plural"]
    assert [field for field, _, _ in problems(loaded, kind_of("CustomResourceDefinition"), widget_crd)] == [
        "spec.scope",
        "spec.names.plural",
    ]
