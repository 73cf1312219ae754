"""CRDs have the names, versions and columns that people know from Istio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bookmesh.mesh.model import base, crds, kinds, schemas

CRDS = {crd["spec"]["names"]["kind"]: crd["spec"] for crd in crds.build_crds()}


@pytest.mark.parametrize(
    ("kind", "plural", "short", "columns"),
    [
        ("VirtualService", "virtualservices", "vs", ["Gateways", "Hosts", "Age"]),
        ("DestinationRule", "destinationrules", "dr", ["Host", "Age"]),
        ("Gateway", "gateways", "gw", ["Age"]),
        ("ServiceEntry", "serviceentries", "se", ["Hosts", "Location", "Resolution", "Age"]),
        ("WorkloadEntry", "workloadentries", "we", ["Address", "Age"]),
        ("WorkloadGroup", "workloadgroups", "wg", ["Age"]),
    ],
)
def test_names_and_columns_are_those_of_istio(kind: str, plural: str, short: str, columns: list[str]) -> None:
    spec = CRDS[kind]
    assert spec["names"]["plural"] == plural
    assert spec["names"]["shortNames"] == [short]
    assert spec["names"]["categories"] == ["istio-io", "networking-istio-io"]
    assert [column["name"] for column in spec["versions"][0]["additionalPrinterColumns"]] == columns


@pytest.mark.parametrize("kind", CRDS)
def test_all_versions_are_served_and_the_first_is_stored(kind: str) -> None:
    versions = [(v["name"], v["served"], v["storage"]) for v in CRDS[kind]["versions"]]
    expected = ["v1", "v1beta1", "v1alpha3"]
    if CRDS[kind]["group"] == kinds.SECURITY:
        expected = ["v1", "v1beta1"]
    if kind == "EnvoyFilter":
        expected = ["v1alpha3"]
    if kind == "ProxyConfig":
        expected = ["v1beta1"]
    assert versions == [(name, True, name == expected[0]) for name in expected]


@pytest.mark.parametrize("kind", CRDS)
def test_status_is_free_and_a_subresource(kind: str) -> None:
    for version in CRDS[kind]["versions"]:
        status = version["schema"]["openAPIV3Schema"]["properties"]["status"]
        assert status["x-kubernetes-preserve-unknown-fields"] is True
        assert version["subresources"] == {"status": {}}


def _below(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from _below(child, f"{path}.{name}")
    for part in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, dict):
            yield from _below(part, path)


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.kind)
def test_every_field_is_documented(kind: kinds.Kind) -> None:
    undocumented = [
        p for p, schema in _below(schemas.schema_for(kind.spec), "spec") if not schema.get("description")
    ]
    assert undocumented == []


def _structures(model: type[base.Model]) -> Iterator[type[base.Model]]:
    for below in model.__subclasses__():
        yield below
        yield from _structures(below)


def test_documentation_names_only_fields_that_exist() -> None:
    models = [m for m in _structures(base.Model) if m.__module__.startswith("bookmesh.")]
    assert models
    for model in models:
        assert set(schemas.describe(model)[1]) <= set(model.__struct_fields__), model
