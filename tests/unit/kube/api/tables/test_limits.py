"""Rows of quotas and limit ranges."""

from __future__ import annotations

from tests.unit.kube.api.conftest import NOW

from bookmesh.kube.api.tables import limits

METADATA = {"name": "few", "creationTimestamp": "2026-01-01T00:00:00Z"}


def test_a_quota_shows_what_is_used_of_what() -> None:
    hard = {"requests.cpu": "1", "pods": "4", "limits.cpu": "2"}
    status = {"hard": hard, "used": {"pods": "1", "requests.cpu": "100m", "limits.cpu": "0"}}
    row = limits.quota_row({"metadata": METADATA, "status": status}, NOW)
    assert row == ["few", "pods: 1/4, requests.cpu: 100m/1", "limits.cpu: 0/2", "0s"]


def test_a_limit_range_shows_since_when_it_holds() -> None:
    assert limits.range_row({"metadata": METADATA}, NOW) == ["few", "2026-01-01T00:00:00Z"]
