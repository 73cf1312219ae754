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
    targets = "cpu: <unknown>/80%, memory: <unknown>/1Gi, <unknown>"
    assert row == ["web", "Deployment/web", targets, "1", 3, 0, "0s"]
    assert len(row) == len(scaling.AUTOSCALER_COLUMNS)
