"""Rows of autoscalers."""

from __future__ import annotations

from tests.unit.kube.api.conftest import NOW

from bookmesh.kube.api.tables import scaling

METADATA = {"name": "web", "creationTimestamp": "2026-01-01T00:00:00Z"}


def test_an_autoscaler() -> None:
    metrics = [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}},
        {"type": "Resource", "resource": {"name": "memory", "target": {"averageValue": "1Gi"}}},
        {"type": "Pods", "pods": {}},
    ]
    spec = {
        "scaleTargetRef": {"kind": "Deployment", "name": "web"},
        "minReplicas": 1,
        "maxReplicas": 3,
        "metrics": metrics,
    }
    row = scaling.autoscaler_row({"metadata": METADATA, "spec": spec}, NOW)
    targets = "cpu: <unknown>/80%, memory: <unknown>/1Gi + 1 more..."
    assert row == ["web", "Deployment/web", targets, "1", 3, 0, "0s"]
    assert len(row) == len(scaling.AUTOSCALER_COLUMNS)


def test_what_was_measured_stands_before_what_is_wanted() -> None:
    target = {"type": "Utilization", "averageUtilization": 80}
    spec = {
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        "maxReplicas": 3,
    }
    current = {"averageUtilization": 0, "averageValue": "0"}
    status = {
        "currentReplicas": 2,
        "currentMetrics": [{"type": "Resource", "resource": {"current": current}}],
    }
    row = scaling.autoscaler_row({"metadata": METADATA, "spec": spec, "status": status}, NOW)
    assert row[2] == "cpu: 0%/80%"
    assert row[5] == 2
