"""What objects count against quotas."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import amounts, quotas


def _pod(phase: str = "Running", **spec: Any) -> JsonObject:
    resources = {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"cpu": "1"}}
    container = {"name": "c", "resources": spec.pop("resources", resources)}
    return {
        "metadata": {"name": "p"},
        "spec": {"containers": [container], **spec},
        "status": {"phase": phase},
    }


def _quota(hard: dict[str, str], **spec: Any) -> JsonObject:
    return {"metadata": {"name": "q"}, "spec": {"hard": hard, **spec}}


def _texts(found: amounts.Amounts) -> dict[str, str]:
    return {name: str(amount) for name, amount in found.items()}


def test_a_running_pod_counts_by_requests_and_limits() -> None:
    assert _texts(quotas.usage_of("", "pods", _pod())) == {
        "count/pods": "1",
        "pods": "1",
        "cpu": "100m",
        "requests.cpu": "100m",
        "memory": "1Gi",
        "requests.memory": "1Gi",
        "limits.cpu": "1",
    }


def test_a_pod_that_has_ended_is_only_an_object() -> None:
    assert _texts(quotas.usage_of("", "pods", _pod("Succeeded"))) == {"count/pods": "1"}


@pytest.mark.parametrize(
    ("spec", "counted"),
    [
        ({"type": "ClusterIP", "ports": [{}]}, {}),
        ({"type": "NodePort", "ports": [{}, {}]}, {"services.nodeports": "2"}),
        (
            {"type": "LoadBalancer", "ports": [{}]},
            {"services.loadbalancers": "1", "services.nodeports": "1"},
        ),
        (
            {"type": "LoadBalancer", "ports": [{}], "allocateLoadBalancerNodePorts": False},
            {"services.loadbalancers": "1"},
        ),
    ],
)
def test_services_count_by_their_type(spec: JsonObject, counted: dict[str, str]) -> None:
    always = {"count/services": "1", "services": "1"}
    assert _texts(quotas.usage_of("", "services", {"spec": spec})) == always | counted


def test_claims_count_by_storage_and_class() -> None:
    spec = {"resources": {"requests": {"storage": "2Gi"}}, "storageClassName": "fast"}
    assert _texts(quotas.usage_of("", "persistentvolumeclaims", {"spec": spec})) == {
        "count/persistentvolumeclaims": "1",
        "persistentvolumeclaims": "1",
        "requests.storage": "2Gi",
        "fast.storageclass.storage.k8s.io/requests.storage": "2Gi",
        "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
    }


def test_objects_of_groups_count_by_their_full_name() -> None:
    assert _texts(quotas.usage_of("apps", "deployments", {})) == {"count/deployments.apps": "1"}


@pytest.mark.parametrize(
    ("spec", "pod", "is_in"),
    [
        ({"scopes": ["Terminating"]}, _pod(activeDeadlineSeconds=5), True),
        ({"scopes": ["Terminating"]}, _pod(), False),
        ({"scopes": ["NotTerminating"]}, _pod(), True),
        ({"scopes": ["BestEffort"]}, _pod(resources={}), True),
        ({"scopes": ["BestEffort"]}, _pod(), False),
        ({"scopes": ["NotBestEffort", "NotTerminating"]}, _pod(), True),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]
                }
            },
            _pod(priorityClassName="high"),
            True,
        ),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]
                }
            },
            _pod(),
            False,
        ),
    ],
)
def test_scopes_select_pods(spec: JsonObject, pod: JsonObject, is_in: bool) -> None:
    assert quotas.selects(_quota({}, **spec), "", "pods", pod) is is_in


def test_scopes_select_nothing_but_pods() -> None:
    assert not quotas.selects(_quota({}, scopes=["NotTerminating"]), "", "services", {"spec": {}})


def test_what_is_limited_is_shown_also_when_nothing_is_used() -> None:
    quota = _quota({"pods": "2", "requests.cpu": "1", "secrets": "5"})
    found = quotas.used(quota, [("", "pods", _pod()), ("", "pods", _pod("Failed"))])
    assert _texts(found) == {"pods": "1", "requests.cpu": "100m", "secrets": "0"}


def test_only_limits_that_more_is_asked_of_are_broken() -> None:
    hard = amounts.parse_all({"pods": "1", "cpu": "1"})
    now = amounts.parse_all({"pods": "1", "cpu": "2"})
    assert quotas.over(hard, now, amounts.parse_all({"pods": "1", "cpu": "0"})) == ["pods"]


def test_what_is_limited_must_be_asked_for() -> None:
    quota = _quota({"requests.cpu": "1", "limits.memory": "1Gi"})
    assert quotas.missing_resources(quota, _pod()) == "limits.memory for: c"
    assert quotas.missing_resources(quota, _pod(resources={})) == "limits.memory for: c; requests.cpu for: c"
    assert quotas.missing_resources(_quota({"pods": "1"}), _pod(resources={})) == ""
