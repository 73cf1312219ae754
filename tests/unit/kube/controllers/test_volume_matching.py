"""Which volume a claim may have, and which one it gets."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import volume_matching


def claim(**spec: Any) -> JsonObject:
    fields = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return {"metadata": {"name": "data", "namespace": "default", "uid": "u"}, "spec": fields}


def volume(name: str = "v", **spec: Any) -> JsonObject:
    fields = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, **spec}
    return {"metadata": {"name": name}, "spec": fields, "status": {"phase": "Available"}}


@pytest.mark.parametrize(
    ("wanted", "given", "why"),
    [
        ({}, {}, ""),
        ({"resources": {"requests": {"storage": "1025Mi"}}}, {}, "requested PV is too small"),
        ({"storageClassName": "a"}, {}, "storageClassName does not match"),
        ({"storageClassName": ""}, {}, ""),
        ({"volumeMode": "Block"}, {}, "incompatible volumeMode"),
        ({"accessModes": ["ReadWriteMany"]}, {}, "incompatible accessMode"),
        ({}, {"accessModes": ["ReadWriteMany", "ReadWriteOnce"]}, ""),
    ],
)
def test_why_a_claim_cannot_have_a_volume(wanted: JsonObject, given: JsonObject, why: str) -> None:
    assert volume_matching.misfit(volume(**given), claim(**wanted)) == why


def test_a_volume_that_is_being_deleted_is_for_nobody() -> None:
    going = volume()
    going["metadata"]["deletionTimestamp"] = "2026-08-01T12:00:00Z"
    assert volume_matching.misfit(going, claim()) == 'the volume is marked for deletion "v"'


def test_a_volume_is_set_aside_by_name_or_by_uid() -> None:
    place = {"name": "data", "namespace": "default"}
    assert volume_matching.is_of(volume(claimRef=place), claim())
    assert volume_matching.is_of(volume(claimRef={**place, "uid": "u"}), claim())
    assert not volume_matching.is_of(volume(claimRef={**place, "uid": "before"}), claim())
    assert not volume_matching.is_of(volume(claimRef={**place, "namespace": "other"}), claim())
    assert not volume_matching.is_of(volume(), claim())


def test_few_access_modes_are_preferred_to_a_small_size() -> None:
    many = volume("many", accessModes=["ReadWriteOnce", "ReadOnlyMany"])
    large = volume("large", capacity={"storage": "2Gi"})
    assert volume_matching.best_match(claim(), [many, large]) is large
    assert volume_matching.best_match(claim(), [many]) is many
    assert volume_matching.best_match(claim(), []) is None


def test_a_volume_that_was_released_is_not_taken() -> None:
    released = {**volume(), "status": {"phase": "Released"}}
    assert volume_matching.best_match(claim(), [released]) is None
