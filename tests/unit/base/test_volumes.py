"""What is agreed on about volumes."""

from __future__ import annotations

from bookmesh.base import volumes
from bookmesh.base.kubernetes import JsonObject


def test_the_claims_of_a_pod_are_those_it_names_and_those_behind_its_volumes() -> None:
    listed = [
        {"name": "a", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "b", "ephemeral": {"volumeClaimTemplate": {}}},
        {"name": "c", "emptyDir": {}},
    ]
    pod: JsonObject = {"metadata": {"name": "web"}, "spec": {"volumes": listed}}
    assert volumes.claim_names(pod) == {"data": listed[0], "web-b": listed[1]}
    assert volumes.claim_names({"metadata": {"name": "web"}, "spec": {}}) == {}


def _class(name: str, created: str, wanted: str = "true") -> JsonObject:
    annotations = {volumes.DEFAULT_CLASS: wanted}
    return {"metadata": {"name": name, "creationTimestamp": created, "annotations": annotations}}


def test_the_newest_of_several_default_classes_counts() -> None:
    old, new = _class("a", "2026-01-01T00:00:00Z"), _class("z", "2026-01-02T00:00:00Z")
    assert volumes.default_class([old, new]) is new
    assert volumes.default_class([new, _class("b", "2026-01-02T00:00:00Z"), old]) != new
    assert volumes.default_class([_class("no", "2026-01-03T00:00:00Z", "false")]) is None


def test_an_object_is_protected_once() -> None:
    obj: JsonObject = {"metadata": {"finalizers": ["mine"]}}
    for _ in range(2):
        volumes.protect(obj, volumes.CLAIM_FINALIZER)
    assert obj["metadata"]["finalizers"] == ["mine", volumes.CLAIM_FINALIZER]
