"""Claims are bound when they are made."""

from __future__ import annotations

from typing import Any

from bookmesh.kube.api.strategies import volume_claims


def test_a_claim_is_bound_at_once_and_keeps_its_volume() -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim: dict[str, Any] = {"metadata": {"name": "data", "uid": "u"}, "spec": spec}
    strategy = volume_claims.ClaimStrategy()
    strategy.prepare_create(claim)
    assert claim["spec"]["volumeName"] == "pvc-u"
    assert claim["status"] == {
        "phase": "Bound",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
    }
    again: dict[str, Any] = {"metadata": {"name": "data"}, "spec": {}}
    strategy.prepare_update(again, claim)
    assert again["spec"]["volumeName"] == "pvc-u"
