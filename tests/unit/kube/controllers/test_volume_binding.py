"""What volumes say about the place of a pod; what becomes of it is in the table of the scheduler."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import volume_binding

POD: JsonObject = {
    "metadata": {"name": "web", "namespace": "default", "uid": "uid-web"},
    "spec": {"volumes": [{"name": "v", "emptyDir": {}}]},
}
NODE: JsonObject = {"metadata": {"name": "node"}}


def test_a_pod_without_claims_may_run_anywhere() -> None:
    nothing = volume_binding.NOTHING
    assert volume_binding.obstacle(POD, nothing) == ""
    assert volume_binding.misfit(POD, NODE, [], nothing) == ""
    assert volume_binding.steps(NODE, nothing) == ()
