"""What a LimitRange fills in, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import limits
from bookmesh.kube.schema.defaults import cluster


def _range(**item: Any) -> JsonObject:
    limit_range: JsonObject = {"spec": {"limits": [{"type": "Container", **item}]}}
    cluster.fill_limit_range(limit_range)
    return limit_range


def _pod(**resources: Any) -> JsonObject:
    return {"metadata": {}, "spec": {"containers": [{"name": "c", "resources": resources}]}}


def test_a_container_gets_what_it_does_not_say() -> None:
    pod = _pod(requests={"cpu": "10m"})
    limits.fill_pod(pod, [_range(default={"cpu": "1", "memory": "1Gi"}, defaultRequest={"cpu": "500m"})])
    assert pod["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "10m", "memory": "1Gi"},
        "limits": {"cpu": "1", "memory": "1Gi"},
    }
    assert pod["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": "LimitRanger plugin set: memory request for container c; "
        "cpu, memory limit for container c"
    }


def test_a_container_that_says_all_is_left_alone() -> None:
    pod = _pod(requests={"cpu": "1"}, limits={"cpu": "1"})
    limits.fill_pod(pod, [_range(default={"cpu": "2"})])
    assert pod == _pod(requests={"cpu": "1"}, limits={"cpu": "1"})


def test_the_maximum_is_the_limit_where_no_default_is_said() -> None:
    assert _range(max={"cpu": "2"})["spec"]["limits"][0]["default"] == {"cpu": "2"}


@pytest.mark.parametrize(
    ("item", "resources", "text"),
    [
        (
            {"max": {"cpu": "800m"}},
            {"limits": {"cpu": "1500m"}},
            "maximum cpu usage per Container is 800m, but limit is 1500m",
        ),
        ({"max": {"cpu": "800m"}}, {}, "maximum cpu usage per Container is 800m. No limit is specified"),
        (
            {"min": {"memory": "100Mi"}},
            {"requests": {"memory": "50Mi"}},
            "minimum memory usage per Container is 100Mi, but request is 50Mi",
        ),
        (
            {"min": {"memory": "100Mi"}},
            {},
            "minimum memory usage per Container is 100Mi. No request is specified",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "4"}},
            {"requests": {"cpu": "100m"}, "limits": {"cpu": "500m"}},
            "cpu max limit to request ratio per Container is 4, but provided ratio is 5.000000",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "4"}},
            {"limits": {"cpu": "1"}},
            "cpu max limit to request ratio per Container is 4, but no request is specified or request is 0",
        ),
    ],
)
def test_a_size_out_of_range_is_named_in_a_servers_words(
    item: JsonObject, resources: JsonObject, text: str
) -> None:
    assert limits.check_pod(_pod(**resources), [_range(**item)]) == [text]


def test_a_pod_is_measured_as_a_whole() -> None:
    pod = _pod(limits={"memory": "1Gi"})
    pod["spec"]["containers"].append({"name": "d", "resources": {"limits": {"memory": "1536Mi"}}})
    limit_range = {"spec": {"limits": [{"type": "Pod", "max": {"memory": "2Gi"}}]}}
    assert limits.check_pod(pod, [limit_range]) == [
        "maximum memory usage per Pod is 2Gi, but limit is 2560Mi"
    ]


@pytest.mark.parametrize(
    ("storage", "text"),
    [
        ("5Gi", "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi"),
        ("100Mi", "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 100Mi"),
    ],
)
def test_a_claim_is_measured_by_its_storage(storage: str, text: str) -> None:
    item = {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}}
    claim = {"spec": {"resources": {"requests": {"storage": storage}}}}
    assert limits.check_claim(claim, [{"spec": {"limits": [item]}}]) == [text]
