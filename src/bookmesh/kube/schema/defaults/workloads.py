"""Deployments and ReplicaSets."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema.defaults import pods
from bookmesh.kube.schema.defaults.filling import child, fill


def fill_deployment(deployment: JsonObject) -> None:
    spec = deployment["spec"]
    fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = child(spec, "strategy")
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill(child(strategy, "rollingUpdate"), maxUnavailable="25%", maxSurge="25%")
    _fill_template(spec)


def fill_replica_set(replica_set: JsonObject) -> None:
    fill(replica_set["spec"], replicas=1)
    _fill_template(replica_set["spec"])


def _fill_template(spec: JsonObject) -> None:
    template = spec.get("template") or {}
    if template.get("spec") is not None:
        pods.fill_spec(template["spec"])
