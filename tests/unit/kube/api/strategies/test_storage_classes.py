"""A class whose provisioner is not here is told of."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import STORAGE_CLASSES
from bookmesh.kube.api import verbs


def test_whoever_writes_a_class_of_another_provisioner_is_told(over: verbs.Verbs) -> None:
    created = over.create(STORAGE_CLASSES, {"metadata": {"name": "fast"}, "provisioner": "example.com/disk"})
    assert created.warnings == (
        "BM0310: it is kept, but no provisioner example.com/disk is part of this cluster; the one that is: "
        "directory.bookmesh.dev",
    )
    labels = {"metadata": {"labels": {"a": "b"}}}
    assert over.patch(STORAGE_CLASSES, "fast", "", labels, patch_type="merge").warnings == created.warnings


@pytest.mark.parametrize("provisioner", ["directory.bookmesh.dev", "kubernetes.io/no-provisioner"])
def test_classes_that_act_are_not_told_of(over: verbs.Verbs, provisioner: str) -> None:
    assert (
        over.create(STORAGE_CLASSES, {"metadata": {"name": "a"}, "provisioner": provisioner}).warnings == ()
    )
