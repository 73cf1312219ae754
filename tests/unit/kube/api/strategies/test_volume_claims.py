"""Claims get a class when they are made, and grow where that allows it."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base import volumes
from bookmesh.base.kubernetes import STORAGE_CLASSES, VOLUME_CLAIMS, ApiError, JsonObject
from bookmesh.kube.api import verbs


def claim(**spec: Any) -> JsonObject:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return {"metadata": {"name": "data", "namespace": "default"}, "spec": wanted}


def make_class(over: verbs.Verbs, name: str = "standard", **fields: Any) -> None:
    annotations = {volumes.DEFAULT_CLASS: "true"}
    metadata = {"name": name, "annotations": annotations}
    over.create(STORAGE_CLASSES, {"metadata": metadata, "provisioner": volumes.PROVISIONER, **fields})


def test_a_claim_is_pending_and_protected_and_of_the_default_class(over: verbs.Verbs) -> None:
    make_class(over)
    made = over.create(VOLUME_CLAIMS, claim()).object
    assert made["status"] == {"phase": "Pending"}
    assert made["metadata"]["finalizers"] == [volumes.CLAIM_FINALIZER]
    assert made["spec"]["storageClassName"] == "standard"


def test_a_claim_of_no_class_stays_so(over: verbs.Verbs) -> None:
    make_class(over)
    assert over.create(VOLUME_CLAIMS, claim(storageClassName="")).object["spec"]["storageClassName"] == ""


def test_without_a_default_class_a_claim_has_none(over: verbs.Verbs) -> None:
    assert "storageClassName" not in over.create(VOLUME_CLAIMS, claim()).object["spec"]


@pytest.mark.parametrize("can_grow", [True, False])
def test_a_bound_claim_grows_where_its_class_allows_it(over: verbs.Verbs, can_grow: bool) -> None:
    make_class(over, allowVolumeExpansion=can_grow)
    over.create(VOLUME_CLAIMS, claim())
    bound = {"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}
    over.patch(VOLUME_CLAIMS, "data", "default", bound, patch_type="merge", subresource="status")
    more = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    if can_grow:
        grown = over.patch(VOLUME_CLAIMS, "data", "default", more, patch_type="merge").object
        assert grown["spec"]["resources"]["requests"]["storage"] == "2Gi"
        return
    with pytest.raises(ApiError) as refused:
        over.patch(VOLUME_CLAIMS, "data", "default", more, patch_type="merge")
    assert refused.value.code == 403
    assert refused.value.message == (
        'persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc can be resized and '
        "the storageclass that provisions the pvc must support resize"
    )
