"""Pods as workloads."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.registry import workloads


def pod(labels: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "web-5d8f-abcde", "namespace": "shop", "labels": labels or {}, **metadata},
        "spec": {},
        "status": {"podIP": "10.244.0.7"},
    }


def test_name_is_that_of_the_deployment() -> None:
    owners = [{"kind": "ReplicaSet", "name": "web-5d8f", "controller": True}]
    built = workloads.build_workload(pod({"pod-template-hash": "5d8f"}, ownerReferences=owners))
    assert built.name == "web"


def test_name_is_that_of_another_owner_or_of_the_pod_itself() -> None:
    owners = [{"kind": "StatefulSet", "name": "db", "controller": True}]
    assert workloads.build_workload(pod(ownerReferences=owners)).name == "db"
    assert workloads.build_workload(pod()).name == "web-5d8f-abcde"


def test_ports_come_from_containers_and_sidecars() -> None:
    obj = pod()
    obj["spec"] = {
        "initContainers": [
            {"name": "init", "ports": [{"name": "never", "containerPort": 1}]},
            {"name": "sidecar", "restartPolicy": "Always", "ports": [{"name": "side", "containerPort": 2}]},
        ],
        "containers": [
            {"name": "web", "ports": [{"name": "http", "containerPort": 8000}, {"containerPort": 9}]}
        ],
    }
    assert workloads.build_workload(obj).ports == {"side": 2, "http": 8000}


def test_canonical_name_and_revision_come_from_labels() -> None:
    named = workloads.build_workload(pod({"app": "shop", "app.kubernetes.io/name": "store", "version": "v2"}))
    assert (named.canonical_name, named.canonical_revision) == ("store", "v2")
    bare = workloads.build_workload(pod())
    assert (bare.canonical_name, bare.canonical_revision) == ("web-5d8f-abcde", "latest")


def test_label_says_whether_a_sidecar_is_there() -> None:
    assert workloads.build_workload(pod({"security.istio.io/tlsMode": "istio"})).speaks_mtls
    assert not workloads.build_workload(pod({"security.istio.io/tlsMode": "disabled"})).speaks_mtls


def test_locality_has_dots_or_slashes() -> None:
    dotted = workloads.build_workload(pod({"istio-locality": "region.zone.rack"}))
    assert dotted.locality == workloads.Locality("region", "zone", "rack")
    slashed = workloads.build_workload(pod({"istio-locality": "a.b/c"}))
    assert slashed.locality == workloads.Locality("a.b", "c", "")


def test_address_may_be_given_before_the_status_has_it() -> None:
    assert workloads.build_workload(pod(), ip="10.244.0.9").ip == "10.244.0.9"
