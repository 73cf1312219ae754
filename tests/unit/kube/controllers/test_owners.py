from __future__ import annotations

from bookmesh.base.kubernetes import PODS, JsonObject
from bookmesh.kube.controllers import owners

OWNER: JsonObject = {
    "metadata": {"name": "own", "uid": "uid-own"},
    "spec": {"selector": {"matchLabels": {"app": "web"}}},
}
REFERENCE = owners.reference_to(OWNER, api_version="apps/v1", kind="ReplicaSet")
SIDE = {"apiVersion": "v1", "kind": "ConfigMap", "name": "side", "uid": "uid-side"}


def pod(app: str, *references: JsonObject) -> JsonObject:
    return {
        "metadata": {
            "name": "p",
            "namespace": "default",
            "uid": "uid-p",
            "resourceVersion": "4",
            "labels": {"app": app},
            "ownerReferences": list(references),
        }
    }


def test_an_owner_that_is_no_controller_does_not_keep_a_pod_from_being_adopted() -> None:
    claim = owners.claim(OWNER, [pod("web", SIDE)], resource=PODS, reference=REFERENCE)
    assert claim.changes[0].patch == {"metadata": {"ownerReferences": [SIDE, REFERENCE]}}


def test_adoption_depends_on_what_was_seen() -> None:
    claim = owners.claim(OWNER, [pod("web")], resource=PODS, reference=REFERENCE)
    assert claim.changes[0].version == "4"


def test_release_keeps_other_owners() -> None:
    claim = owners.claim(OWNER, [pod("other", REFERENCE, SIDE)], resource=PODS, reference=REFERENCE)
    assert claim.changes[0].patch == {"metadata": {"ownerReferences": [SIDE]}}
    assert claim.owned == ()


def test_an_owner_on_its_way_out_keeps_what_it_has_and_takes_nothing() -> None:
    going = {**OWNER, "metadata": {**OWNER["metadata"], "deletionTimestamp": "2026-08-01T12:00:00Z"}}
    mine, orphan = pod("other", REFERENCE), pod("web")
    claim = owners.claim(going, [mine, orphan], resource=PODS, reference=REFERENCE)
    assert claim.owned == (mine,)
    assert claim.changes == ()
