"""Deployments and ReplicaSets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bookmesh.base.kubernetes import copy_json
from bookmesh.kube.schema.semantics import workloads

Causes = Callable[..., list[tuple[str, str]]]
Obj = dict[str, Any]


def test_a_minimal_deployment_is_fine(causes_of: Causes, deployment: Obj) -> None:
    assert causes_of(deployment) == []


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"replicas": -1}, "spec.replicas", "Invalid value: -1: must be greater than or equal to 0"),
        ({"selector": {}}, "spec.selector", "Invalid value: {}: empty selector is invalid for deployment"),
        (
            {"selector": {"matchLabels": {"app": "other"}}},
            "spec.template.metadata.labels",
            'Invalid value: {"app":"web"}: `selector` does not match template `labels`',
        ),
        (
            {"selector": {"matchExpressions": [{"key": "app", "operator": "In"}]}},
            "spec.selector.matchExpressions[0].values",
            "Required value: must be specified when `operator` is 'In' or 'NotIn'",
        ),
        (
            {"strategy": {"type": "Recreate", "rollingUpdate": {}}},
            "spec.strategy.rollingUpdate",
            "Forbidden: may not be specified when strategy `type` is 'Recreate'",
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}},
            "spec.strategy.rollingUpdate.maxUnavailable",
            'Invalid value: "0%": may not be 0 when `maxSurge` is 0',
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": "half"}}},
            "spec.strategy.rollingUpdate.maxSurge",
            'Invalid value: "half": a valid percent string must be',
        ),
        (
            {"strategy": {"rollingUpdate": {"maxUnavailable": "101%"}}},
            "spec.strategy.rollingUpdate.maxUnavailable",
            'Invalid value: "101%": must not be greater than 100%',
        ),
        (
            {"minReadySeconds": 600},
            "spec.progressDeadlineSeconds",
            "Invalid value: 600: must be greater than minReadySeconds",
        ),
    ],
)
def test_a_bad_deployment_is_refused(
    causes_of: Causes, deployment: Obj, spec: Obj, field: str, message: str
) -> None:
    deployment["spec"] |= spec
    found = causes_of(deployment)
    assert [each for each, _ in found] == [field]
    assert found[0][1].startswith(message)


def test_the_template_is_checked_as_a_pod(causes_of: Causes, deployment: Obj) -> None:
    spec = deployment["spec"]["template"]["spec"]
    spec["restartPolicy"] = "Never"
    spec["containers"][0]["volumeMounts"] = [{"name": "x", "mountPath": "/x"}]
    assert causes_of(deployment) == [
        ("spec.template.spec.containers[0].volumeMounts[0].name", 'Not found: "x"'),
        ("spec.template.spec.restartPolicy", 'Unsupported value: "Never": supported values: "Always"'),
    ]


def test_a_selector_stays_what_it_was(causes_of: Causes, deployment: Obj) -> None:
    changed = copy_json(deployment)
    changed["spec"]["selector"]["matchLabels"]["tier"] = "x"
    changed["spec"]["template"]["metadata"]["labels"]["tier"] = "x"
    ((field, message),) = causes_of(changed, deployment)
    assert field == "spec.selector"
    assert message.endswith("field is immutable")


def test_a_replica_set_has_the_same_rules(causes_of: Causes, deployment: Obj) -> None:
    deployment["kind"] = "ReplicaSet"
    assert causes_of(copy_json(deployment)) == []
    deployment["spec"]["selector"] = {}
    assert causes_of(deployment)[0][1].endswith("empty selector is invalid for replicaset")


@pytest.mark.parametrize(
    ("operator", "values", "labels", "is_match"),
    [
        ("In", ["a"], {"k": "a"}, True),
        ("In", ["a"], {}, False),
        ("NotIn", ["a"], {"k": "a"}, False),
        ("NotIn", ["a"], {}, True),
        ("Exists", None, {"k": ""}, True),
        ("DoesNotExist", None, {"k": ""}, False),
    ],
)
def test_expressions_select(operator: str, values: list[str], labels: dict[str, str], is_match: bool) -> None:
    expression = {"key": "k", "operator": operator, "values": values}
    assert workloads.selector_matches({"matchExpressions": [expression]}, labels) is is_match


def job_of(deployment: Obj, **spec: Any) -> Obj:
    deployment["kind"], deployment["apiVersion"] = "Job", "batch/v1"
    deployment["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    deployment["spec"] |= spec
    return deployment


def test_a_minimal_job_is_fine(causes_of: Causes, deployment: Obj) -> None:
    assert causes_of(job_of(deployment)) == []


def test_pods_of_a_job_may_end(causes_of: Causes, deployment: Obj) -> None:
    job = job_of(deployment)
    job["spec"]["template"]["spec"]["restartPolicy"] = "Always"
    assert causes_of(job) == [
        (
            "spec.template.spec.restartPolicy",
            'Unsupported value: "Always": supported values: "OnFailure", "Never"',
        )
    ]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"parallelism": -1}, "spec.parallelism"),
        ({"backoffLimit": -1}, "spec.backoffLimit"),
        ({"completionMode": "Indexed", "parallelism": 1}, "spec.completions"),
    ],
)
def test_numbers_of_a_job(causes_of: Causes, deployment: Obj, spec: Obj, field: str) -> None:
    assert [found for found, _ in causes_of(job_of(deployment, **spec))] == [field]


def test_a_job_stays_what_it_is(causes_of: Causes, deployment: Obj) -> None:
    old = job_of(deployment)
    new = copy_json(old)
    new["spec"]["template"]["spec"]["containers"][0]["image"] = "other:1"
    new["spec"]["completions"] = 7
    assert [found for found, _ in causes_of(new, old)] == ["spec.template", "spec.completions"]
    old["spec"]["suspend"] = True
    assert [found for found, _ in causes_of(new, old)] == ["spec.completions"]


def other(deployment: Obj, kind: str, **spec: Any) -> Obj:
    deployment["kind"] = kind
    deployment["spec"] |= spec
    return deployment


def rolling(**fields: Any) -> Obj:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": fields}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, []),
        (rolling(maxUnavailable=0, maxSurge=1), []),
        (rolling(maxUnavailable=0, maxSurge=0), ["spec.updateStrategy.rollingUpdate.maxUnavailable"]),
        (rolling(maxUnavailable=1, maxSurge=1), ["spec.updateStrategy.rollingUpdate.maxUnavailable"]),
        (rolling(maxSurge="half"), ["spec.updateStrategy.rollingUpdate.maxSurge"]),
        ({"selector": {}}, ["spec.selector"]),
    ],
)
def test_daemon_sets(causes_of: Causes, deployment: Obj, spec: Obj, expected: list[str]) -> None:
    assert [found for found, _ in causes_of(other(deployment, "DaemonSet", **spec))] == expected


def test_stateful_sets(causes_of: Causes, deployment: Obj) -> None:
    old = other(deployment, "StatefulSet", serviceName="web")
    assert causes_of(old) == []
    assert [found for found, _ in causes_of({**old, "spec": {**old["spec"], **rolling(partition=-1)}})] == [
        "spec.updateStrategy.rollingUpdate.partition"
    ]
    retained = {**old["spec"], "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Keep"}}
    assert causes_of({**old, "spec": retained}) == [
        (
            "spec.persistentVolumeClaimRetentionPolicy.whenScaled",
            'Unsupported value: "Keep": supported values: "Delete", "Retain"',
        )
    ]
    new = copy_json(old)
    new["spec"]["serviceName"] = "other"
    (found,) = causes_of(new, old)
    assert found[0] == "spec"
    assert "fields other than 'replicas'" in found[1]


def test_containers_mount_the_claims_of_a_stateful_set(causes_of: Causes, deployment: Obj) -> None:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    stateful_set = other(deployment, "StatefulSet", volumeClaimTemplates=[claim])
    container = stateful_set["spec"]["template"]["spec"]["containers"][0]
    container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    assert causes_of(stateful_set) == []
    container["volumeMounts"] = [{"name": "other", "mountPath": "/data"}]
    assert [found for found, _ in causes_of(stateful_set)] == [
        "spec.template.spec.containers[0].volumeMounts[0].name"
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"schedule": ""}, ["spec.schedule"]),
        ({"schedule": "61 * * * *"}, ["spec.schedule"]),
        ({"successfulJobsHistoryLimit": -1}, ["spec.successfulJobsHistoryLimit"]),
    ],
)
def test_cron_jobs(causes_of: Causes, deployment: Obj, change: Obj, expected: list[str]) -> None:
    template = {"spec": {**deployment["spec"]["template"]["spec"], "restartPolicy": "Never"}}
    spec = {"schedule": "@daily", "jobTemplate": {"spec": {"template": template}}, **change}
    cron_job = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"}, "spec": spec}
    assert [found for found, _ in causes_of(cron_job)] == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 1}, []),
        ({"minAvailable": 1, "maxUnavailable": 1}, ["spec"]),
        ({"maxUnavailable": "120%"}, ["spec.maxUnavailable"]),
        ({"minAvailable": -1}, ["spec.minAvailable"]),
    ],
)
def test_disruption_budgets(causes_of: Causes, spec: Obj, expected: list[str]) -> None:
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "x"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }
    assert [found for found, _ in causes_of(budget)] == expected
