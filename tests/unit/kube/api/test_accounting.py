"""The account of owned fields around a write."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.api import accounting
from bookmesh.kube.schema.ownership import managers

ENTRY = {
    "manager": "one",
    "operation": "Update",
    "apiVersion": "v1",
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:data": {"f:a": {}}},
}
OTHER = {**ENTRY, "manager": "two"}
OLD: dict[str, Any] = {"metadata": {"name": "x", "managedFields": [ENTRY]}}


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        (None, ["one"]),
        ([OTHER], ["two"]),
        ([], []),
        ([{}], []),
        ([{"manager": "two"}], ["one"]),
        ("nonsense", ["one"]),
    ],
)
def test_a_client_changes_the_account_but_does_not_lose_it(requested: Any, expected: list[str]) -> None:
    found = accounting.entries_before(requested, OLD, is_subresource=False)
    assert [each.writer.manager for each in found] == expected


def test_a_subresource_cannot_change_the_account() -> None:
    found = accounting.entries_before([OTHER], OLD, is_subresource=True)
    assert found == managers.parse([ENTRY])


def test_an_unchanged_account_is_the_very_same() -> None:
    new: dict[str, Any] = {"metadata": {"name": "x"}}
    accounting.record(new, accounting.entries_of(OLD), old=OLD)
    assert new["metadata"]["managedFields"] is OLD["metadata"]["managedFields"]
    accounting.record(new, ())
    assert new == accounting.without(OLD)


@pytest.mark.parametrize(
    ("value", "time"), [("same", "2026-01-01T00:00:00Z"), ("new", "2026-01-01T00:01:00Z")]
)
def test_a_time_alone_is_no_change_of_an_object_that_is_as_it_was(value: str, time: str) -> None:
    old: dict[str, Any] = {"metadata": {"managedFields": [{**ENTRY, "time": "2026-01-01T00:00:00Z"}]}}
    old["data"] = {"a": "same"}
    new: dict[str, Any] = {"metadata": {}, "data": {"a": value}}
    again = managers.parse([{**ENTRY, "time": "2026-01-01T00:01:00Z"}])
    accounting.record(new, again, old=old)
    assert new["metadata"]["managedFields"][0]["time"] == time
