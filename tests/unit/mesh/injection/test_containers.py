from __future__ import annotations

import pytest

from bookmesh.mesh.injection import containers
from bookmesh.mesh.injection.settings import InjectionError, InjectionSettings

NATIVE = "sidecar.istio.io/nativeSidecar"
SETTINGS = InjectionSettings(tag="1.28.0")


def pod(**metadata):
    metadata = {"name": "p", "namespace": "default", **metadata}
    app = {"name": "app", "ports": [{"containerPort": 80, "name": "http", "hostPort": 1}]}
    return {"metadata": metadata, "spec": {"containers": [app]}}


def env(container):
    return {item["name"]: item.get("value") for item in container["env"]}


@pytest.mark.parametrize(
    ("annotations", "policy"), [({}, None), ({NATIVE: "true"}, "Always"), ({NATIVE: "false"}, None)]
)
def test_a_sidecar_holds_the_others_back_native_or_not(annotations, policy):
    container = containers.build_sidecar(pod(annotations=annotations), SETTINGS)
    assert container.get("restartPolicy") == policy
    assert container["startupProbe"]["httpGet"] == {"path": "/healthz/ready", "port": 15021, "scheme": "HTTP"}
    assert container["image"] == "docker.io/istio/proxyv2:1.28.0"


def test_native_is_true_or_false():
    with pytest.raises(InjectionError, match=r'nativeSidecar is "maybe"'):
        containers.build_sidecar(pod(annotations={NATIVE: "maybe"}), SETTINGS)


def test_a_gateway_is_an_ordinary_container():
    assert "restartPolicy" not in containers.build_gateway(pod(), SETTINGS)


@pytest.mark.parametrize(
    ("owner", "labels", "expected"),
    [
        (None, {}, "kubernetes://apis/v1/namespaces/default/pods/p"),
        (
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-abc", "controller": True},
            {"pod-template-hash": "abc"},
            "kubernetes://apis/apps/v1/namespaces/default/deployments/web",
        ),
        (
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "controller": True},
            {},
            "kubernetes://apis/apps/v1/namespaces/default/replicasets/web",
        ),
        (
            {"apiVersion": "batch/v1", "kind": "Job", "name": "once", "controller": True},
            {},
            "kubernetes://apis/batch/v1/namespaces/default/jobs/once",
        ),
    ],
)
def test_the_owner_is_what_a_person_created(owner, labels, expected):
    owned = pod(labels=labels, ownerReferences=[owner] if owner else [])
    assert env(containers.build_sidecar(owned, SETTINGS))["ISTIO_META_OWNER"] == expected


def test_a_pod_without_a_name_is_called_by_its_prefix():
    unnamed = pod(generateName="sleep-")
    del unnamed["metadata"]["name"]
    assert containers.workload_name(unnamed) == "sleep"


def test_only_what_names_a_port_is_told_to_the_proxy():
    container = containers.build_sidecar(pod(), SETTINGS)
    assert env(container)["ISTIO_META_POD_PORTS"] == '[{"name":"http","containerPort":80}]'


def test_laying_over_merges_lists_by_name_and_replaces_the_rest():
    ours = {
        "image": "ours",
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}],
        "resources": {"x": 1},
    }
    theirs = {
        "image": "x",
        "env": [{"name": "B", "value": "2"}, {"name": "C", "value": "3"}],
        "resources": {"y": 2},
    }
    merged = containers.lay_over(ours, theirs)
    assert merged["image"] == "x"
    assert [(item["name"], item["value"]) for item in merged["env"]] == [("A", "1"), ("B", "2"), ("C", "3")]
    assert merged["resources"] == {"y": 2}


def test_what_defaulting_wrote_does_not_replace_ours():
    ours = {"image": "ours", "imagePullPolicy": "IfNotPresent", "resources": {"x": 1}}
    assert containers.lay_over(ours, {"image": "auto", "imagePullPolicy": "Always", "resources": {}}) == ours


def test_user_volumes_come_as_a_list_or_a_mapping():
    annotation = "sidecar.istio.io/userVolume"
    assert containers.user_volumes({annotation: '{"certs": {"emptyDir": {}}}'}) == [
        {"name": "certs", "emptyDir": {}}
    ]
    assert containers.user_volumes({annotation: '[{"name": "certs"}]'}) == [{"name": "certs"}]


@pytest.mark.parametrize("text", ["{", "7", '["certs"]', '{"certs": 1}', '[{"emptyDir": {}}]'])
def test_a_user_volume_that_cannot_be_read_is_named(text):
    with pytest.raises(InjectionError, match="userVolume"):
        containers.user_volumes({"sidecar.istio.io/userVolume": text})
