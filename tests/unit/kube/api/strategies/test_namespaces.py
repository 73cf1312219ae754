"""Namespaces: label, finalizer, phase."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import NAMESPACES, ApiError
from bookmesh.kube.api import verbs


def test_new_namespace_is_active_and_labelled(over: verbs.Verbs) -> None:
    created = over.create(NAMESPACES, {"metadata": {"name": "shop"}}).object
    assert created["metadata"]["labels"] == {"kubernetes.io/metadata.name": "shop"}
    assert (created["spec"], created["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})


def test_specification_is_not_the_clients(over: verbs.Verbs) -> None:
    after = over.patch(NAMESPACES, "default", "", {"spec": {"finalizers": []}}, patch_type="merge").object
    assert after["spec"] == {"finalizers": ["kubernetes"]}


def test_first_namespaces_must_stay(over: verbs.Verbs) -> None:
    with pytest.raises(ApiError, match="may not be deleted") as refusal:
        over.delete(NAMESPACES, "default")
    assert refusal.value.code == 403
