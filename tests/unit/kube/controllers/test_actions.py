from __future__ import annotations

from bookmesh.base.kubernetes import PODS, JsonObject
from bookmesh.kube.controllers import actions

SEEN: JsonObject = {
    "metadata": {"name": "p", "namespace": "default", "uid": "uid-p", "resourceVersion": "9"},
    "status": {"phase": "Pending", "reason": "Waiting", "podIP": "10.0.0.1"},
}


def test_a_status_patch_has_what_differs_and_nulls_what_goes() -> None:
    (patch,) = actions.patch_status(PODS, SEEN, {"phase": "Running", "podIP": "10.0.0.1"})
    assert patch.patch == {"status": {"phase": "Running", "reason": None}}
    assert (patch.subresource, patch.version) == ("status", "9")


def test_the_same_status_needs_no_patch() -> None:
    assert actions.patch_status(PODS, SEEN, dict(SEEN["status"])) == ()


def test_a_deletion_names_the_uid() -> None:
    assert actions.delete_of(PODS, SEEN).uid == "uid-p"
