"""Nodes by kind, and what OpenAPI documents are made of."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base import cluster
from bookmesh.kube.schema import nodes, schemas


def test_a_path_through_a_kind_leads_to_nodes(loaded: schemas.Schemas) -> None:
    node: nodes.Node | None = loaded.root("apps", "v1", "Deployment")
    for key in ("spec", "template", "spec", "containers"):
        assert node is not None
        node = node.child(key)
    assert node is not None
    assert (node.type, node.patch_merge_key, node.patch_strategies) == ("array", "name", frozenset({"merge"}))
    assert node.items is not None
    assert node.items.required == ("name",)
    assert node.items.child("imagee") is None


def test_definitions_are_shared_but_what_a_field_says_is_its_own(loaded: schemas.Schemas) -> None:
    pod, deployment = loaded.root("", "v1", "Pod"), loaded.root("apps", "v1", "Deployment")
    assert pod.child("metadata") is deployment.child("metadata")
    spec = deployment.child("spec")
    assert spec is not None
    strategy = spec.child("strategy")
    assert strategy is not None
    assert strategy.patch_strategies == {"retainKeys"}
    assert strategy.child("rollingUpdate") is not None


def test_maps_have_one_node_for_all_their_values(loaded: schemas.Schemas) -> None:
    data = loaded.root("", "v1", "ConfigMap").child("data")
    assert data is not None
    assert data.child("any") is data.child("other")
    assert data.additional is not None
    assert data.additional.type == "string"


def test_recursive_schemas_can_be_walked(loaded: schemas.Schemas) -> None:
    node: nodes.Node | None = loaded.definition(
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    )
    for _ in range(5):
        assert node is not None
        node = node.child("not")
    assert node is not None
    assert node.child("properties") is not None


def test_a_kind_without_schema_is_a_key_error(loaded: schemas.Schemas) -> None:
    with pytest.raises(KeyError):
        loaded.root("example.com", "v1", "Widget")
    assert loaded.name_for("example.com", "v1", "Widget") is None


def test_components_are_closed_under_reference(loaded: schemas.Schemas) -> None:
    components = loaded.components([("apps", "v1", "Deployment"), ("no", "v1", "Such")])
    assert "io.k8s.api.apps.v1.Deployment" in components
    assert "io.k8s.api.core.v1.Service" not in components
    text = str(components)
    for name in components:
        assert name in text
    referred = {word.split("'")[0] for word in text.split("#/components/schemas/")[1:]}
    assert referred <= set(components)


def test_kinds_say_their_group_version_kind_for_kubectl_explain(loaded: schemas.Schemas) -> None:
    pod = loaded.components([("", "v1", "Pod")])["io.k8s.api.core.v1.Pod"]
    assert pod["x-kubernetes-group-version-kind"] == [{"group": "", "kind": "Pod", "version": "v1"}]
    assert "enum" not in pod["properties"]["kind"]


def test_crds_add_and_remove_definitions(widget_crd: dict[str, Any]) -> None:
    own = schemas.Schemas.load()
    own.add_crd(widget_crd)
    root = own.root("example.com", "v1", "Widget")
    metadata = root.child("metadata")
    assert metadata is own.definition(schemas.OBJECT_META)
    assert own.name_for("example.com", "v1", "Widget") == "com.example.v1.Widget"
    assert own.name_for("example.com", "v1alpha1", "Widget") is None
    assert schemas.OBJECT_META in own.components([("example.com", "v1", "Widget")])

    own.remove_crd(widget_crd)
    assert own.name_for("example.com", "v1", "Widget") is None


def test_a_changed_crd_brings_its_new_schema(widget_crd: dict[str, Any]) -> None:
    own = schemas.Schemas.load()
    own.add_crd(widget_crd)
    own.root("example.com", "v1", "Widget")
    widget_crd["spec"]["versions"][1]["schema"]["openAPIV3Schema"] = {
        "type": "object",
        "properties": {"other": {"type": "string"}},
    }
    own.add_crd(widget_crd)
    root = own.root("example.com", "v1", "Widget")
    assert root.child("other") is not None
    assert root.child("spec") is None


def test_a_file_without_definitions_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "_GENERATED", "generated/absent.json")
    with pytest.raises(schemas.SchemasMissingError, match="build_hooks/schemas"):
        schemas.Schemas.load()


def test_the_schemas_are_of_the_kubernetes_that_the_cluster_says_it_is() -> None:
    assert schemas.Schemas.load().kubernetes_version == f"v{cluster.KUBERNETES_VERSION}"
