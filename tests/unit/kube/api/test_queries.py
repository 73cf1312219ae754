"""Query parameters."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import queries, writing


def test_write_options() -> None:
    assert queries.write_options({}) == writing.WriteOptions()
    asked = queries.write_options({"dryRun": "All", "fieldValidation": "Strict"})
    assert asked == writing.WriteOptions(dry_run=True, field_validation="Strict")


def test_who_writes_is_the_field_manager_or_the_program() -> None:
    assert queries.write_options({"fieldManager": "helm"}, "kubectl/v1.37").manager == "helm"
    assert queries.write_options({}, "kubectl/v1.37 (linux/amd64)").manager == "kubectl"
    assert queries.write_options({}, "x" * 200).manager == "x" * 128


def test_numbers_and_flags() -> None:
    assert queries.number({"limit": "5"}, "limit") == 5
    assert queries.number({}, "limit") is None
    with pytest.raises(ApiError):
        queries.number({"limit": "-1"}, "limit")
    assert queries.is_true({"watch": "1"}, "watch")
    assert not queries.is_true({"watch": "0"}, "watch")


def test_cursor_survives_the_round_trip() -> None:
    cursor = queries.Cursor(7, "shop", "web")
    assert queries.parse_cursor(cursor.encode()) == cursor
    for token in ("x", "eyJhIjoxfQ==", "!!!"):
        with pytest.raises(ApiError):
            queries.parse_cursor(token)
