"""What does not act is said."""

from __future__ import annotations

from bookmesh.base.kubernetes import Resource
from bookmesh.kube.api import verbs

CLASSES = Resource("storage.k8s.io", "v1", "storageclasses")


def test_whoever_writes_a_storage_class_is_told_that_it_does_not_act(over: verbs.Verbs) -> None:
    storage_class = {"metadata": {"name": "fast"}, "provisioner": "example.com/fast"}
    created = over.create(CLASSES, storage_class)
    assert created.warnings == ("BM0310: it is kept, but every claim gets a directory of the node",)
    labels = {"metadata": {"labels": {"a": "b"}}}
    changed = over.patch(CLASSES, "fast", "", labels, patch_type="merge")
    assert changed.warnings == created.warnings
