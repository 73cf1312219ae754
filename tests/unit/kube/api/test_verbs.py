"""The verbs: finding, patching in each way, versions of one kind, binding."""

from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject, Resource
from bookmesh.kube.api import selectors, verbs

ROUTES = Resource("example.com", "v1", "routes")
OLD_ROUTES = Resource("example.com", "v1beta1", "routes")


def test_unknown_resource_and_object(over: verbs.Verbs) -> None:
    with pytest.raises(ApiError, match="could not find the requested resource"):
        over.get(ROUTES, "a", "default")
    with pytest.raises(ApiError, match='configmaps "a" not found'):
        over.get(kubernetes.CONFIG_MAPS, "a", "default")


def test_list_by_namespace_and_predicate(over: verbs.Verbs) -> None:
    over.create(kubernetes.NAMESPACES, {"metadata": {"name": "shop", "labels": {"x": "y"}}})
    for namespace in ("default", "shop"):
        over.create(kubernetes.CONFIG_MAPS, {"metadata": {"name": "a", "namespace": namespace}})
    assert [each.namespace for each in over.list(kubernetes.CONFIG_MAPS)] == ["default", "shop"]
    assert [each.namespace for each in over.list(kubernetes.CONFIG_MAPS, "shop")] == ["shop"]
    matches = selectors.parse("x=y", "", kind="Namespace")
    assert [each.name for each in over.list(kubernetes.NAMESPACES, matches=matches)] == ["shop"]


def test_strategic_patch_merges_containers_by_name(over: verbs.Verbs, deployment: JsonObject) -> None:
    over.create(kubernetes.DEPLOYMENTS, deployment)
    patch = {
        "spec": {
            "template": {"spec": {"containers": [{"name": "main", "env": [{"name": "A", "value": "b"}]}]}}
        }
    }
    after = over.patch(kubernetes.DEPLOYMENTS, "web", "default", patch, patch_type="strategic").object
    container = after["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["env"][0]["value"]) == ("httpbin", "b")


def test_json_patch_that_does_not_apply(over: verbs.Verbs, deployment: JsonObject) -> None:
    over.create(kubernetes.DEPLOYMENTS, deployment)
    patch = [{"op": "remove", "path": "/spec/nothing"}]
    with pytest.raises(ApiError, match="the server rejected our request") as refusal:
        over.patch(kubernetes.DEPLOYMENTS, "web", "default", patch, patch_type="json")
    assert refusal.value.code == 422


def test_custom_kind_takes_no_strategic_patch(over: verbs.Verbs, definition: JsonObject) -> None:
    over.create(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, definition)
    over.create(ROUTES, {"metadata": {"name": "a", "namespace": "default"}})
    with pytest.raises(ApiError) as refusal:
        over.patch(ROUTES, "a", "default", {}, patch_type="strategic")
    assert refusal.value.code == 415


def test_object_is_shown_in_the_version_asked_for(over: verbs.Verbs, definition: JsonObject) -> None:
    over.create(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, definition)
    over.create(OLD_ROUTES, {"metadata": {"name": "a", "namespace": "default"}, "spec": {"host": "x"}})
    new = over.patch(ROUTES, "a", "default", {}, patch_type="merge").object
    assert new["apiVersion"] == "example.com/v1"
    assert new["spec"] == {"host": "x", "weight": 9}
    version = over.store.version
    over.update(ROUTES, "a", "default", new)
    assert over.store.version == version
    old = verbs.present(over.kind_of(OLD_ROUTES), over.get(OLD_ROUTES, "a", "default").object)
    assert old["apiVersion"] == "example.com/v1beta1"


def test_scale_changes_the_replicas_alone(over: verbs.Verbs, deployment: JsonObject) -> None:
    over.create(kubernetes.DEPLOYMENTS, deployment)
    scale = over.patch(
        kubernetes.DEPLOYMENTS,
        "web",
        "default",
        {"spec": {"replicas": 6}},
        patch_type="merge",
        subresource="scale",
    ).object
    assert (scale["kind"], scale["spec"]["replicas"]) == ("Scale", 6)
    assert over.get(kubernetes.DEPLOYMENTS, "web", "default").object["spec"]["replicas"] == 6


def test_subresource_that_a_kind_does_not_have(over: verbs.Verbs) -> None:
    over.create(kubernetes.CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "default"}})
    with pytest.raises(ApiError) as refusal:
        over.update(kubernetes.CONFIG_MAPS, "a", "default", {}, subresource="status")
    assert refusal.value.code == 404


def test_pod_is_bound_once(over: verbs.Verbs, pod: JsonObject) -> None:
    over.create(kubernetes.PODS, pod)
    over.bind("default", "web", "bookmesh")
    assert over.get(kubernetes.PODS, "web", "default").object["spec"]["nodeName"] == "bookmesh"
    with pytest.raises(ApiError, match="already assigned"):
        over.bind("default", "web", "other")


def test_delete_collection_takes_what_matches(over: verbs.Verbs) -> None:
    for name in ("a", "b"):
        over.create(
            kubernetes.CONFIG_MAPS,
            {"metadata": {"name": name, "namespace": "default", "labels": {"name": name}}},
        )
    matches = selectors.parse("name=a", "", kind="ConfigMap")
    gone = over.delete_collection(kubernetes.CONFIG_MAPS, "default", matches=matches)
    assert [obj["metadata"]["name"] for obj in gone] == ["a"]
    assert [each.name for each in over.list(kubernetes.CONFIG_MAPS)] == ["b"]
