"""What makes pods from a template: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema.defaults import pods, volumes
from bookmesh.kube.schema.defaults.filling import child, fill, objects


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


def fill_stateful_set(stateful_set: JsonObject) -> None:
    spec = stateful_set["spec"]
    fill(spec, replicas=1, revisionHistoryLimit=10, podManagementPolicy="OrderedReady")
    strategy = child(spec, "updateStrategy")
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill(child(strategy, "rollingUpdate"), partition=0)
    retention = child(spec, "persistentVolumeClaimRetentionPolicy")
    fill(retention, whenDeleted="Retain", whenScaled="Retain")
    for claim in objects(spec, "volumeClaimTemplates"):
        fill(claim, apiVersion="v1", kind="PersistentVolumeClaim")
        volumes.fill_claim(claim)
    _fill_template(spec)


def fill_daemon_set(daemon_set: JsonObject) -> None:
    spec = daemon_set["spec"]
    fill(spec, revisionHistoryLimit=10)
    strategy = child(spec, "updateStrategy")
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill(child(strategy, "rollingUpdate"), maxUnavailable=1, maxSurge=0)
    _fill_template(spec)


def fill_job(job: JsonObject) -> None:
    spec = job["spec"]
    if spec.get("completions") is None and spec.get("parallelism") is None:
        fill(spec, completions=1)
    fill(
        spec,
        parallelism=1,
        backoffLimit=6,
        completionMode="NonIndexed",
        suspend=False,
        podReplacementPolicy="Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed",
    )
    _fill_template(spec)


def fill_cron_job(cron_job: JsonObject) -> None:
    spec = cron_job["spec"]
    fill(
        spec,
        concurrencyPolicy="Allow",
        suspend=False,
        successfulJobsHistoryLimit=3,
        failedJobsHistoryLimit=1,
    )
    _fill_template((spec.get("jobTemplate") or {}).get("spec") or {})


def _fill_template(spec: JsonObject) -> None:
    template = spec.get("template") or {}
    if template.get("spec") is not None:
        pods.fill_spec(template["spec"])
