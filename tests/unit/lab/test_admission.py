from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import admission as port
from bookmesh.kube.store.records import GroupResource
from bookmesh.kube.store.store import Store
from bookmesh.lab import admission
from bookmesh.mesh.injection import settings


@pytest.fixture
def hook() -> admission.SidecarInjection:
    store = Store.open(None)
    for name, labels in (("meshed", {"istio-injection": "enabled"}), ("plain", {})):
        namespace = {"metadata": {"name": name, "labels": labels}}
        store.create(GroupResource("", "namespaces"), "", name, namespace)
    return admission.SidecarInjection(store, settings.InjectionSettings(tag="1.28.0"))


def pod(namespace: str, **annotations: str) -> JsonObject:
    metadata = {"name": "app", "namespace": namespace, "annotations": annotations}
    return {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": "x"}]}}


def review(
    hook: admission.SidecarInjection, obj: JsonObject, operation: port.Operation = "CREATE"
) -> JsonObject:
    namespace = obj["metadata"]["namespace"]
    request = port.AdmissionRequest(operation, kubernetes.PODS, namespace, "app", obj)
    return hook.review(request).object


def test_a_pod_in_a_labelled_namespace_gets_a_sidecar(hook: admission.SidecarInjection) -> None:
    injected = review(hook, pod("meshed"))
    assert [one["name"] for one in injected["spec"]["containers"]][1:] == ["istio-proxy"]


def test_pods_elsewhere_stay_as_they_are(hook: admission.SidecarInjection) -> None:
    for namespace in ("plain", "unheard-of"):
        original = pod(namespace)
        assert review(hook, original) is original


def test_only_creation_injects(hook: admission.SidecarInjection) -> None:
    original = pod("meshed")
    assert review(hook, original, "UPDATE") is original


def test_an_annotation_that_cannot_be_honoured_refuses_the_pod(hook: admission.SidecarInjection) -> None:
    odd = pod("meshed", **{"traffic.sidecar.istio.io/excludeOutboundPorts": "http"})
    with pytest.raises(ApiError, match="excludeOutboundPorts") as caught:
        review(hook, odd)
    assert caught.value.code == 400


def test_proxy_configs_and_mesh_configuration_reach_the_proxy() -> None:
    store = Store.open(None)
    namespace = {"metadata": {"name": "meshed", "labels": {"istio-injection": "enabled"}}}
    store.create(GroupResource("", "namespaces"), "", "meshed", namespace)
    mesh = {"metadata": {"name": "istio", "namespace": "istio-system"}}
    mesh["data"] = {"mesh": "defaultConfig: {proxyMetadata: {A: mesh, B: mesh}}"}
    store.create(GroupResource("", "configmaps"), "istio-system", "istio", mesh)
    config = {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "ProxyConfig",
        "metadata": {"name": "it", "namespace": "meshed"},
        "spec": {"environmentVariables": {"A": "own"}},
    }
    store.create(GroupResource("networking.istio.io", "proxyconfigs"), "meshed", "it", config)
    hook = admission.SidecarInjection(store, settings.InjectionSettings(tag="1.28.0"))
    proxy = review(hook, pod("meshed"))["spec"]["containers"][1]
    found = {one["name"]: one.get("value") for one in proxy["env"]}
    assert (found["A"], found["B"]) == ("own", "mesh")
