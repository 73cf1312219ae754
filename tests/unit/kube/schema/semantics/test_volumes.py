"""Persistent volumes, claims and storage classes: what is refused, in which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bookmesh.base.kubernetes import copy_json

Causes = Callable[..., list[tuple[str, str]]]
Obj = dict[str, Any]
FIXED = (
    "Forbidden: spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims"
)


def volume(**spec: Any) -> Obj:
    fields = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/data"},
        **spec,
    }
    kept = {key: value for key, value in fields.items() if value is not None}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": kept}


def claim(phase: str = "Pending", **spec: Any) -> Obj:
    fields = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}, **spec}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "default"},
        "spec": fields,
        "status": {"phase": phase, "capacity": {"storage": "2Gi"}},
    }


def storage_class(**fields: Any) -> Obj:
    named = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}}
    return {**named, "provisioner": "example.com/disk", "volumeBindingMode": "Immediate", **fields}


def test_minimal_objects_are_fine(causes_of: Causes) -> None:
    assert [causes_of(obj) for obj in (volume(), claim(), storage_class())] == [[], [], []]


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"hostPath": None}, "spec", "Required value: must specify a volume type"),
        (
            {"nfs": {"server": "a", "path": "/"}},
            "spec.nfs",
            "Forbidden: may not specify more than 1 volume type",
        ),
        ({"accessModes": None}, "spec.accessModes", "Required value"),
        ({"capacity": None}, "spec.capacity", "Required value"),
        (
            {"capacity": {"storage": "0"}},
            "spec.capacity[storage]",
            'Invalid value: "0": must be greater than zero',
        ),
        (
            {"accessModes": ["ReadWriteSometimes"]},
            "spec.accessModes",
            'Unsupported value: "ReadWriteSometimes": supported values: "ReadOnlyMany", "ReadWriteMany", '
            '"ReadWriteOnce", "ReadWriteOncePod"',
        ),
        (
            {"persistentVolumeReclaimPolicy": "Burn"},
            "spec.persistentVolumeReclaimPolicy",
            'Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain"',
        ),
        (
            {"hostPath": {"path": "/data/../etc"}},
            "spec.hostPath.path",
            "Invalid value: \"/data/../etc\": must not contain '..'",
        ),
        (
            {"hostPath": None, "local": {"path": "/data"}},
            "spec.nodeAffinity",
            "Required value: Local volume requires node affinity",
        ),
    ],
)
def test_a_bad_volume_is_refused(causes_of: Causes, spec: Obj, field: str, message: str) -> None:
    assert causes_of(volume(**spec)) == [(field, message)]


def test_where_the_contents_of_a_volume_are_does_not_change(causes_of: Causes) -> None:
    moved = volume(hostPath={"path": "/other"})
    assert causes_of(moved, volume()) == [
        (
            "spec.persistentvolumesource",
            "Forbidden: spec.persistentvolumesource is immutable after creation",
        )
    ]
    grown = volume(capacity={"storage": "2Gi"}, persistentVolumeReclaimPolicy="Delete")
    assert causes_of(grown, volume()) == []


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"accessModes": []}, "spec.accessModes", "Required value: at least 1 access mode is required"),
        ({"resources": {}}, "spec.resources[storage]", "Required value"),
        (
            {"accessModes": ["ReadWriteOncePod", "ReadOnlyMany"]},
            "spec.accessModes",
            "Forbidden: may not use ReadWriteOncePod with other access modes",
        ),
    ],
)
def test_a_bad_claim_is_refused(causes_of: Causes, spec: Obj, field: str, message: str) -> None:
    assert causes_of(claim(**spec)) == [(field, message)]


def test_a_claim_may_be_given_a_class_and_a_volume_once(causes_of: Causes) -> None:
    given = claim(storageClassName="fast", volumeName="v")
    assert causes_of(given, claim()) == []
    assert causes_of(claim(storageClassName="slow", volumeName="v"), given) == [("spec", FIXED)]


def test_only_a_bound_claim_grows_and_none_shrinks(causes_of: Causes) -> None:
    more = {"resources": {"requests": {"storage": "3Gi"}}}
    assert causes_of(claim("Bound", **more), claim("Bound")) == []
    assert causes_of(claim(**more), claim()) == [("spec", FIXED)]
    less = claim("Bound", resources={"requests": {"storage": "1Gi"}})
    why = "Forbidden: field can not be less than status.capacity"
    assert causes_of(less, claim("Bound")) == [("spec.resources.requests.storage", why)]


def test_a_claim_that_asked_for_too_much_may_take_it_back(causes_of: Causes) -> None:
    asked = copy_json(claim("Bound"))
    asked["spec"]["resources"]["requests"]["storage"] = "9Ti"
    assert causes_of(claim("Bound"), asked) == []


def test_what_volumes_were_made_by_does_not_change(causes_of: Causes) -> None:
    changed = storage_class(
        provisioner="example.com/other",
        reclaimPolicy="Retain",
        volumeBindingMode="WaitForFirstConsumer",
        allowVolumeExpansion=True,
    )
    assert causes_of(changed, storage_class(reclaimPolicy="Delete")) == [
        ("provisioner", "Forbidden: updates to provisioner are forbidden."),
        ("reclaimPolicy", "Forbidden: updates to reclaimPolicy are forbidden."),
        ("volumeBindingMode", 'Invalid value: "WaitForFirstConsumer": field is immutable'),
    ]
    assert causes_of(storage_class(volumeBindingMode="Later")) == [
        (
            "volumeBindingMode",
            'Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
        )
    ]
