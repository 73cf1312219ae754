"""Rows of priority classes and runtime classes."""

from __future__ import annotations

from tests.unit.kube.api.conftest import NOW

from bookmesh.kube.api.tables import placing

METADATA = {"name": "high", "creationTimestamp": "2026-01-01T00:00:00Z"}


def test_a_priority_class() -> None:
    row = placing.priority_class_row({"metadata": METADATA, "value": 1000}, NOW)
    assert row == ["high", 1000, False, "0s", "PreemptLowerPriority"]
    assert len(row) == len(placing.PRIORITY_CLASS_COLUMNS)


def test_a_runtime_class() -> None:
    row = placing.runtime_class_row({"metadata": METADATA, "handler": "runc"}, NOW)
    assert row == ["high", "runc", "0s"]
    assert len(row) == len(placing.RUNTIME_CLASS_COLUMNS)
