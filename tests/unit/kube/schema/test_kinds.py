"""Which kinds are served, and how CRDs change that."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import Resource
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store.records import GroupResource


def test_built_in_kinds_are_found_by_resource_and_by_kind() -> None:
    registry = kinds.Kinds()
    deployment = registry.by_resource(Resource("apps", "v1", "deployments"))
    assert deployment is registry.by_kind("apps", "v1", "Deployment")
    assert deployment is not None
    assert deployment.storage == GroupResource("apps", "deployments")
    assert deployment.api_version == "apps/v1"
    assert registry.by_resource(Resource("apps", "v1beta1", "deployments")) is None


def test_short_names_are_unique_and_those_of_kubectl() -> None:
    short = {name: kind.plural for kind in kinds.Kinds().all() for name in kind.short_names}
    assert short == {
        "cj": "cronjobs",
        "cm": "configmaps",
        "crd": "customresourcedefinitions",
        "crds": "customresourcedefinitions",
        "csr": "certificatesigningrequests",
        "deploy": "deployments",
        "ds": "daemonsets",
        "ep": "endpoints",
        "ev": "events",
        "hpa": "horizontalpodautoscalers",
        "ing": "ingresses",
        "limits": "limitranges",
        "netpol": "networkpolicies",
        "no": "nodes",
        "ns": "namespaces",
        "pc": "priorityclasses",
        "pdb": "poddisruptionbudgets",
        "po": "pods",
        "pv": "persistentvolumes",
        "pvc": "persistentvolumeclaims",
        "quota": "resourcequotas",
        "rs": "replicasets",
        "sa": "serviceaccounts",
        "sc": "storageclasses",
        "sts": "statefulsets",
        "svc": "services",
    }


def test_category_all_holds_what_people_run() -> None:
    names = {kind.plural for kind in kinds.Kinds().all() if "all" in kind.categories}
    assert names == {
        "cronjobs",
        "daemonsets",
        "deployments",
        "horizontalpodautoscalers",
        "jobs",
        "pods",
        "replicasets",
        "services",
        "statefulsets",
    }


def test_every_served_kind_and_every_body_has_a_schema(loaded: schemas.Schemas) -> None:
    for kind in kinds.Kinds().all():
        assert loaded.root(kind.group, kind.version, kind.kind).type == "object"
        for name in kind.subresources:
            part = kinds.subresource(kind, name)
            assert part is not None
            is_stream = part.body[2].endswith("Options")  # its parameters travel in the URL
            assert is_stream or loaded.name_for(*part.body)


@pytest.mark.parametrize(
    ("plural", "name", "body"),
    [
        ("deployments", "scale", ("autoscaling", "v1", "Scale")),
        ("deployments", "status", ("apps", "v1", "Deployment")),
        ("serviceaccounts", "token", ("authentication.k8s.io", "v1", "TokenRequest")),
    ],
)
def test_subresources_know_their_bodies(plural: str, name: str, body: tuple[str, str, str]) -> None:
    kind = next(kind for kind in kinds.Kinds().all() if kind.plural == plural)
    part = kinds.subresource(kind, name)
    assert part is not None
    assert part.body == body
    assert kinds.body_kind(part).kind == body[2]


def test_a_kind_has_no_subresource_it_does_not_name() -> None:
    kind = kinds.Kinds().by_kind("", "v1", "ConfigMap")
    assert kind is not None
    assert kinds.subresource(kind, "status") is None


def test_a_crd_serves_its_served_versions_best_first(widget_crd: dict[str, Any]) -> None:
    registry = kinds.Kinds()
    registry.add_crd(widget_crd)
    widgets = [kind for kind in registry.all() if kind.kind == "Widget"]
    assert [kind.version for kind in widgets] == ["v1", "v1beta1"]
    best = widgets[0]
    assert (best.short_names, best.categories, best.singular) == (("wd",), ("all-widgets",), "widget")
    assert best.subresources == ("status",)
    assert best.columns == (kinds.Column("Mode", "string", ".spec.mode"),)
    assert (best.is_custom, best.is_storage_version) == (True, True)
    assert widgets[1].columns is None
    assert not widgets[1].is_storage_version


def test_a_changed_crd_replaces_what_it_served(widget_crd: dict[str, Any]) -> None:
    registry = kinds.Kinds()
    registry.add_crd(widget_crd)
    widget_crd["spec"]["versions"] = widget_crd["spec"]["versions"][1:]
    registry.add_crd(widget_crd)
    assert registry.by_kind("example.com", "v1beta1", "Widget") is None
    assert registry.by_kind("example.com", "v1", "Widget") is not None


def test_a_removed_crd_is_served_no_more(widget_crd: dict[str, Any]) -> None:
    registry = kinds.Kinds()
    registry.add_crd(widget_crd)
    registry.remove_crd(widget_crd)
    registry.remove_crd(widget_crd)
    assert all(kind.group != "example.com" for kind in registry.all())


def test_versions_are_preferred_by_stability_then_number() -> None:
    versions = ["v1alpha3", "v10", "v2beta1", "foo", "v2", "v1", "v2beta2", "v1alpha1"]
    assert sorted(versions, key=kinds.version_preference) == [
        "v10",
        "v2",
        "v1",
        "v2beta2",
        "v2beta1",
        "v1alpha3",
        "v1alpha1",
        "foo",
    ]
