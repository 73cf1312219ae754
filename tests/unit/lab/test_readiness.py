"""What is said of an ingress gateway that is not ready in time."""

from __future__ import annotations

from typing import Any

from bookmesh.lab import readiness


def pod(name: str, *, ready: bool = False, **status: Any) -> dict[str, Any]:
    condition = {"type": "Ready", "status": str(ready), "reason": "" if ready else "ContainersNotReady"}
    condition["message"] = "" if ready else "containers with unready status: [istio-proxy]"
    return {"metadata": {"name": name}, "status": {"conditions": [condition], **status}}


def waiting(reason: str, message: str) -> list[dict[str, Any]]:
    return [{"name": "istio-proxy", "state": {"waiting": {"reason": reason, "message": message}}}]


def event(name: str, reason: str, message: str, at: str) -> dict[str, Any]:
    return {
        "metadata": {"creationTimestamp": at},
        "involvedObject": {"name": name},
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
    }


def test_the_pod_its_reason_and_its_last_event_are_named() -> None:
    pods = [pod("gateway-1", ready=True), pod("gateway-2", containerStatuses=waiting("ErrImagePull", "no x"))]
    events = [
        event("gateway-2", "Failed", "BM0301: image x is not known", "2026-01-01T00:00:02Z"),
        event("gateway-2", "Pulling", "Pulling image x", "2026-01-01T00:00:01Z"),
        event("gateway-1", "Started", "Started container", "2026-01-01T00:00:03Z"),
    ]
    finding = readiness.describe(pods, events, patience_s=60.0)
    assert finding.code == "BM0111"
    assert "after 60 s" in finding.message
    assert finding.known == (
        "pod istio-system/gateway-2 is not ready: istio-proxy: ErrImagePull (no x); "
        "last event: Failed: BM0301: image x is not known"
    )


def test_a_pod_whose_containers_run_is_described_by_its_conditions() -> None:
    pods = [pod("gateway-1", containerStatuses=[{"name": "istio-proxy", "state": {"running": {}}}])]
    known = readiness.describe(pods, [], patience_s=0.5).known
    assert known == (
        "pod istio-system/gateway-1 is not ready: "
        "Ready is False: containers with unready status: [istio-proxy]"
    )


def test_without_a_pod_the_last_event_of_the_namespace_counts() -> None:
    events = [event("istio-ingressgateway-7f", "FailedCreate", "quota", "2026-01-01T00:00:00Z")]
    known = readiness.describe([], events, patience_s=60).known
    assert known == (
        "deployment istio-system/istio-ingressgateway has no pod; last event: FailedCreate: quota"
    )


def test_ready_pods_behind_a_closed_port_are_told_apart() -> None:
    known = readiness.describe([pod("gateway-1", ready=True)], [], patience_s=60).known
    assert "its pods are ready, but port status-port" in known


def test_availability_needs_the_newest_generation() -> None:
    deployment = {
        "metadata": {"generation": 2},
        "spec": {"replicas": 1},
        "status": {"observedGeneration": 1, "availableReplicas": 1},
    }
    assert not readiness.is_available(deployment)
    deployment["status"]["observedGeneration"] = 2
    assert readiness.is_available(deployment)
