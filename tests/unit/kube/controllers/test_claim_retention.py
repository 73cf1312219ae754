"""Who owns the claims of a StatefulSet under each policy: the set, or a pod that is not wanted any more."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import claim_retention, owners

POD: JsonObject = {"metadata": {"name": "db-0", "uid": "pod"}}


def stateful_set(deleted: str, scaled: str) -> JsonObject:
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    return {
        "metadata": {"name": "db", "uid": "set"},
        "spec": {"persistentVolumeClaimRetentionPolicy": policy},
    }


def claim(*uids: str) -> JsonObject:
    references = [{"uid": uid, "name": uid} for uid in uids]
    return {"metadata": {"name": "data-db-0", "namespace": "default", "ownerReferences": references}}


@pytest.mark.parametrize(
    ("deleted", "scaled", "is_wanted", "expected"),
    [
        ("Retain", "Retain", True, ["other"]),
        ("Retain", "Retain", False, ["other"]),
        ("Delete", "Retain", True, ["other", "set"]),
        ("Delete", "Retain", False, ["other", "set"]),
        ("Retain", "Delete", True, ["other"]),
        ("Retain", "Delete", False, ["other", "pod"]),
        ("Delete", "Delete", True, ["other", "set"]),
        ("Delete", "Delete", False, ["other", "pod"]),
    ],
)
def test_owners_of_a_claim(deleted: str, scaled: str, is_wanted: bool, expected: list[str]) -> None:
    wanted = range(1) if is_wanted else range(0)
    before = claim("other")
    (*found,) = claim_retention.changes(
        stateful_set(deleted, scaled), {0: [before]}, pods={0: POD}, wanted=wanted
    )
    references = found[0].patch["metadata"]["ownerReferences"] if found else owners.references(before)
    assert [each["uid"] for each in references] == expected


def test_a_policy_that_is_taken_back_takes_the_owners_back() -> None:
    (patch,) = claim_retention.changes(
        stateful_set("Retain", "Retain"), {0: [claim("set", "other")]}, pods={}, wanted=range(1)
    )
    assert [each["uid"] for each in patch.patch["metadata"]["ownerReferences"]] == ["other"]


def test_a_claim_that_goes_with_a_pod_still_does_when_the_pod_is_gone() -> None:
    policy = stateful_set("Delete", "Delete")
    assert claim_retention.changes(policy, {3: [claim("pod")]}, pods={}, wanted=range(1)) == ()
