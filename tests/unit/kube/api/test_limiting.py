"""Quotas and limit ranges refuse writes as a real server does."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import (
    CONFIG_MAPS,
    PODS,
    SERVICES,
    VOLUME_CLAIMS,
    ApiError,
    JsonObject,
    Resource,
)
from bookmesh.kube.api import verbs

QUOTAS = Resource("", "v1", "resourcequotas")
RANGES = Resource("", "v1", "limitranges")


def _pod(name: str, **resources: Any) -> JsonObject:
    container = {"name": "c", "image": "i", "resources": resources}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [container]}}


def _limit(over: verbs.Verbs, **hard: str) -> None:
    named = {key.replace("_", "."): value for key, value in hard.items()}
    body = {"metadata": {"name": "few", "namespace": "default"}, "spec": {"hard": named}}
    assert over.create(QUOTAS, body).warnings == ()


def _refusal(over: verbs.Verbs, resource: Resource, body: JsonObject) -> str:
    with pytest.raises(ApiError) as refusal:
        over.create(resource, body)
    assert (refusal.value.code, refusal.value.reason) == (403, "Forbidden")
    return refusal.value.message


def test_a_pod_too_many_is_refused_until_one_is_gone(over: verbs.Verbs) -> None:
    over.create(PODS, _pod("before"))
    _limit(over, pods="2")
    over.create(PODS, _pod("a"))
    assert _refusal(over, PODS, _pod("b")) == (
        'pods "b" is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2'
    )
    over.delete(PODS, "a", "default")
    over.create(PODS, _pod("b"))


def test_requests_are_added_up(over: verbs.Verbs) -> None:
    _limit(over, requests_cpu="1", requests_memory="1Gi")
    over.create(PODS, _pod("a", requests={"cpu": "600m", "memory": "100Mi"}))
    assert _refusal(over, PODS, _pod("b", requests={"cpu": "600m", "memory": "100Mi"})) == (
        'pods "b" is forbidden: exceeded quota: few, requested: requests.cpu=600m, '
        "used: requests.cpu=600m, limited: requests.cpu=1"
    )


def test_a_pod_must_say_what_is_limited(over: verbs.Verbs) -> None:
    _limit(over, limits_memory="1Gi")
    assert _refusal(over, PODS, _pod("a")) == (
        'pods "a" is forbidden: failed quota: few: must specify limits.memory for: c'
    )


def test_a_change_counts_by_what_is_more(over: verbs.Verbs) -> None:
    port = {"name": "http", "port": 80}
    service = {"metadata": {"name": "s", "namespace": "default"}, "spec": {"ports": [port]}}
    over.create(SERVICES, service)
    _limit(over, services_nodeports="1", services="1")
    over.patch(SERVICES, "s", "default", {"metadata": {"labels": {"a": "b"}}}, patch_type="merge")
    over.patch(SERVICES, "s", "default", {"spec": {"type": "NodePort"}}, patch_type="merge")
    two = {"spec": {"ports": [port, {"name": "other", "port": 81}]}}
    with pytest.raises(ApiError, match=r"requested: services\.nodeports=1, used: services\.nodeports=1"):
        over.patch(SERVICES, "s", "default", two, patch_type="merge")


def test_objects_of_other_namespaces_do_not_count(over: verbs.Verbs) -> None:
    over.create(Resource("", "v1", "namespaces"), {"metadata": {"name": "other"}})
    _limit(over, configmaps="1")
    over.create(CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "default"}})
    over.create(CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "other"}})
    assert "used: configmaps=1" in _refusal(
        over, CONFIG_MAPS, {"metadata": {"name": "b", "namespace": "default"}}
    )


def test_defaults_of_a_range_count_against_a_quota_and_set_the_class(over: verbs.Verbs) -> None:
    item = {"type": "Container", "default": {"cpu": "1", "memory": "1Gi"}}
    over.create(RANGES, {"metadata": {"name": "r", "namespace": "default"}, "spec": {"limits": [item]}})
    _limit(over, limits_cpu="1")
    created = over.create(PODS, _pod("a")).object
    assert created["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1", "memory": "1Gi"}
    assert created["status"]["qosClass"] == "Guaranteed"
    assert "exceeded quota" in _refusal(over, PODS, _pod("b"))


def test_sizes_out_of_range_are_refused_together(over: verbs.Verbs) -> None:
    item = {"type": "Container", "max": {"cpu": "1"}, "min": {"memory": "1Gi"}}
    over.create(RANGES, {"metadata": {"name": "r", "namespace": "default"}, "spec": {"limits": [item]}})
    assert _refusal(over, PODS, _pod("a", limits={"cpu": "2", "memory": "1Mi"})) == (
        'pods "a" is forbidden: [minimum memory usage per Container is 1Gi, but request is 1Mi, '
        "maximum cpu usage per Container is 1, but limit is 2]"
    )


def test_a_claim_out_of_range_is_refused(over: verbs.Verbs) -> None:
    item = {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}
    over.create(RANGES, {"metadata": {"name": "r", "namespace": "default"}, "spec": {"limits": [item]}})
    claim = {
        "metadata": {"name": "big", "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}},
    }
    assert _refusal(over, VOLUME_CLAIMS, claim) == (
        'persistentvolumeclaims "big" is forbidden: '
        "maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi"
    )
