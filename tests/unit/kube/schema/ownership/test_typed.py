"""What counts as one field, and in what values differ."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.schema import nodes, schemas
from bookmesh.kube.schema.ownership import field_sets, typed

CONTAINER = {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}], "args": ["a", "b"]}
DEPLOYMENT = {
    "metadata": {"labels": {"app": "web"}, "finalizers": ["example.com/a"]},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"spec": {"containers": [CONTAINER]}},
    },
}


@pytest.fixture
def node(loaded: schemas.Schemas) -> nodes.Node:
    return loaded.root("apps", "v1", "Deployment")


def with_container(**fields: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{**CONTAINER, **fields}]}}
    return {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "template": template}}


def test_lists_with_keys_are_taken_apart_and_atomic_values_are_not(node: nodes.Node) -> None:
    assert field_sets.paths(typed.fields_of(node, DEPLOYMENT)) == [
        '.metadata.finalizers[="example.com/a"]',
        ".metadata.labels.app",
        ".spec.replicas",
        ".spec.selector",
        '.spec.template.spec.containers[name="web"]',
        '.spec.template.spec.containers[name="web"].args',
        '.spec.template.spec.containers[name="web"].image',
        '.spec.template.spec.containers[name="web"].name',
        '.spec.template.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"]',
        '.spec.template.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"].containerPort',
    ]


def test_a_changed_field_is_modified(node: nodes.Node) -> None:
    found = typed.compare(node, DEPLOYMENT, with_container(image="web:2"))
    assert field_sets.paths(found.modified) == ['.spec.template.spec.containers[name="web"].image']
    assert (found.added, found.removed) == ({}, {})


def test_the_order_of_elements_with_an_identity_is_no_difference(node: nodes.Node) -> None:
    one, two = {"containerPort": 1}, {"containerPort": 2, "protocol": "UDP"}
    left, right = with_container(ports=[one, two]), with_container(ports=[two, one])
    assert typed.compare(node, left, right).is_same
    assert not typed.compare(node, with_container(args=["b", "a"]), DEPLOYMENT).is_same


def test_an_element_that_comes_brings_its_path_and_its_fields(node: nodes.Node) -> None:
    found = typed.compare(node, DEPLOYMENT, with_container(env=[{"name": "A", "value": "1"}]))
    assert field_sets.paths(found.added) == [
        '.spec.template.spec.containers[name="web"].env[name="A"]',
        '.spec.template.spec.containers[name="web"].env[name="A"].name',
        '.spec.template.spec.containers[name="web"].env[name="A"].value',
    ]
    assert (
        typed.compare(node, with_container(env=[{"name": "A", "value": "1"}]), DEPLOYMENT).removed
        == found.added
    )


def test_elements_with_one_key_twice_are_one_field(node: nodes.Node) -> None:
    twice = with_container(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}])
    path = '.spec.template.spec.containers[name="web"].env[name="A"]'
    assert field_sets.paths(typed.compare(node, DEPLOYMENT, twice).added) == [path]
    other = with_container(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "3"}])
    assert field_sets.paths(typed.compare(node, twice, other).modified) == [path]


def test_true_is_not_one(node: nodes.Node) -> None:
    assert not typed.compare(typed.OPEN, {"a": 1}, {"a": True}).is_same


def test_values_lose_fields_and_emptied_branches(node: nodes.Node) -> None:
    gone = {
        "f:metadata": {"f:labels": {"f:app": {}}, "f:finalizers": {'v:"example.com/a"': {}}},
        "f:spec": {"f:replicas": {}},
    }
    left = typed.without(node, DEPLOYMENT, gone)
    assert "metadata" not in left
    assert "replicas" not in left["spec"]
    assert left["spec"]["template"] == DEPLOYMENT["spec"]["template"]


def test_an_element_without_an_identity_is_refused(node: nodes.Node) -> None:
    with pytest.raises(typed.ElementError, match="omits all key fields"):
        typed.fields_of(node, {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}})
