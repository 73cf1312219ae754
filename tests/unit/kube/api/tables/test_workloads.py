"""Rows of deployments and replica sets."""

from __future__ import annotations

from tests.unit.kube.api.conftest import NOW

from bookmesh.kube.api.tables import workloads

SPEC = {
    "replicas": 3,
    "selector": {"matchLabels": {"app": "web"}},
    "template": {"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]}},
}
METADATA = {"name": "web", "creationTimestamp": "2026-01-01T00:00:00Z"}


def test_deployment() -> None:
    status = {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}
    row = workloads.deployment_row({"metadata": METADATA, "spec": SPEC, "status": status}, NOW)
    assert row == ["web", "1/3", 2, 1, "0s", "a,b", "x,y", "app=web"]
    assert len(row) == len(workloads.DEPLOYMENT_COLUMNS)


def test_replica_set_without_a_status() -> None:
    row = workloads.replica_set_row({"metadata": METADATA, "spec": SPEC}, NOW)
    assert row == ["web", 3, 0, 0, "0s", "a,b", "x,y", "app=web"]
    assert len(row) == len(workloads.REPLICA_SET_COLUMNS)


def test_stateful_set() -> None:
    row = workloads.stateful_set_row(
        {"metadata": METADATA, "spec": SPEC, "status": {"readyReplicas": 2}}, NOW
    )
    assert row == ["web", "2/3", "0s", "a,b", "x,y"]
    assert len(row) == len(workloads.STATEFUL_SET_COLUMNS)


def test_daemon_set() -> None:
    status = {"desiredNumberScheduled": 1, "currentNumberScheduled": 1, "numberReady": 0}
    row = workloads.daemon_set_row({"metadata": METADATA, "spec": SPEC, "status": status}, NOW)
    assert row == ["web", 1, 1, 0, 0, 0, "<none>", "0s", "a,b", "x,y", "app=web"]
    assert len(row) == len(workloads.DAEMON_SET_COLUMNS)


def test_revision() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "controller": True}
    revision = {"metadata": {**METADATA, "ownerReferences": [owner]}, "revision": 4}
    assert workloads.revision_row(revision, NOW) == ["web", "statefulset.apps/db", 4, "0s"]


def test_budget() -> None:
    budget = {"metadata": METADATA, "spec": {"minAvailable": "50%"}, "status": {"disruptionsAllowed": 1}}
    assert workloads.budget_row(budget, NOW) == ["web", "50%", "N/A", 1, "0s"]
