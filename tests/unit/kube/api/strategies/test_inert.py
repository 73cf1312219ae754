"""What does not act is said."""

from __future__ import annotations

from bookmesh.base.kubernetes import Resource
from bookmesh.kube.api import verbs

POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies")


def test_whoever_writes_a_network_policy_is_told_that_it_does_not_filter(over: verbs.Verbs) -> None:
    policy = {"metadata": {"name": "deny", "namespace": "default"}, "spec": {"podSelector": {}}}
    created = over.create(POLICIES, policy)
    assert created.warnings == ("BM0310: it is kept, but the lab filters no traffic by it",)
    labels = {"metadata": {"labels": {"a": "b"}}}
    changed = over.patch(POLICIES, "deny", "default", labels, patch_type="merge")
    assert changed.warnings == created.warnings
