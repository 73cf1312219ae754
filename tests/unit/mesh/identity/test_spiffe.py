from __future__ import annotations

import pytest

from bookmesh.mesh.identity import spiffe


def test_a_workload_is_named_by_namespace_and_service_account():
    identity = spiffe.workload_id(namespace="default", service_account="bookinfo-reviews")
    assert identity == "spiffe://cluster.local/ns/default/sa/bookinfo-reviews"


@pytest.mark.parametrize("part", ["", "a/sa/admin"])
def test_a_part_that_would_change_the_path_is_refused(part):
    with pytest.raises(ValueError, match="SPIFFE"):
        spiffe.workload_id(namespace="default", service_account=part)
