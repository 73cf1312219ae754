"""The generated schemas, loaded once, and short ways to objects of each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bookmesh.base.kubernetes import copy_json
from bookmesh.kube.schema import defaulting, kinds, rules, schemas, validation


@pytest.fixture(scope="session")
def loaded() -> schemas.Schemas:
    """Built-in schemas; tests that add CRDs load their own."""
    return schemas.Schemas.load()


@pytest.fixture(scope="session")
def kind_of() -> Callable[[str], kinds.Kind]:
    """Look a built-in kind up by its name."""
    known = {kind.kind: kind for kind in kinds.Kinds().all()}
    return known.__getitem__


@pytest.fixture
def widget_crd() -> dict[str, Any]:
    """A definition with one of everything that validation, pruning and defaulting look at."""
    spec = {
        "type": "object",
        "required": ["hosts"],
        "properties": {
            "hosts": {
                "type": "array",
                "minItems": 1,
                "maxItems": 3,
                "items": {"type": "string", "minLength": 1},
            },
            "mode": {"type": "string", "enum": ["A", "B"], "default": "A"},
            "size": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 10},
            "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
            "port": {"x-kubernetes-int-or-string": True},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 2},
            "nothing": {"type": "string", "nullable": True},
            "rules": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "exact": {"type": "string"},
                        "prefix": {"type": "string"},
                        "retry": {
                            "type": "object",
                            "default": {},
                            "properties": {"attempts": {"type": "integer", "default": 2}},
                        },
                    },
                    "oneOf": [
                        {"not": {"anyOf": [{"required": ["exact"]}, {"required": ["prefix"]}]}},
                        {"required": ["exact"]},
                        {"required": ["prefix"]},
                    ],
                },
            },
            "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        },
    }
    root = {"type": "object", "properties": {"spec": spec, "status": {"type": "object"}}}
    schemas_of = [{"openAPIV3Schema": copy_json(root)} for _ in range(3)]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {
                "kind": "Widget",
                "plural": "widgets",
                "shortNames": ["wd"],
                "categories": ["all-widgets"],
            },
            "versions": [
                {"name": "v1beta1", "served": True, "storage": False, "schema": schemas_of[0]},
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [
                        {"name": "Mode", "type": "string", "jsonPath": ".spec.mode"}
                    ],
                    "schema": schemas_of[1],
                },
                {
                    "name": "v1alpha1",
                    "served": False,
                    "storage": False,
                    "schema": schemas_of[2],
                },
            ],
        },
    }


@pytest.fixture
def widgets(widget_crd: dict[str, Any]) -> tuple[schemas.Schemas, kinds.Kind]:
    """Schemas that know widgets, and their kind in v1."""
    own, registry = schemas.Schemas.load(), kinds.Kinds()
    own.add_crd(widget_crd)
    registry.add_crd(widget_crd)
    kind = registry.by_kind("example.com", "v1", "Widget")
    assert kind is not None
    return own, kind


def make_widget(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "spec": {"hosts": ["a"], **spec},
    }


@pytest.fixture
def widget() -> Callable[..., dict[str, Any]]:
    """Make a valid widget with more in its spec."""
    return make_widget


@pytest.fixture
def deployment() -> dict[str, Any]:
    """A minimal valid Deployment."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "web:1"}]},
            },
        },
    }


@pytest.fixture
def pod() -> dict[str, Any]:
    """A minimal valid Pod."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "app", "image": "web:1"}]},
    }


@pytest.fixture
def causes_of(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind]
) -> Callable[..., list[tuple[str, str]]]:
    """Default an object, check it against schema and rules, return (field, message) of what the rules say."""

    def check(obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[tuple[str, str]]:
        kind = kind_of(obj["kind"])
        for each in (obj, old):
            if each is not None:
                defaulting.apply_defaults(loaded, kind, each)
                assert validation.check(loaded, kind, each) == []
        return [(cause.field, cause.message) for cause in rules.check(kind, obj, old)]

    return check
