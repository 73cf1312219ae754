"""Conditions that cannot fail, which end a list of routes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import virtual_services
from bookmesh.mesh.translate import matches


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (None, True),
        ({}, True),
        ({"uri": {"prefix": "/"}}, True),
        ({"uri": {"regex": "*"}}, True),
        ({"uri": {"regex": ".*"}, "name": "all"}, True),
        ({"uri": {"prefix": "/a"}}, False),
        ({"uri": {"exact": "/"}}, False),
        ({"uri": {"prefix": "/"}, "method": {"exact": "GET"}}, False),
        ({"headers": {"a": {}}}, False),
        ({"withoutHeaders": {"a": {}}}, False),
        ({"queryParams": {"a": {}}}, False),
    ],
)
def test_only_a_condition_without_content_matches_everything(
    match: dict[str, Any] | None, expected: bool
) -> None:
    parsed = msgspec.convert(match, virtual_services.HttpMatchRequest) if match is not None else None
    assert matches.matches_everything(parsed) is expected


@pytest.mark.parametrize(
    ("prefix", "kind", "value"),
    [
        ("/a", "path_separated_prefix", "/a"),
        ("/a/", "path_separated_prefix", "/a"),
        ("/", "prefix", "/"),
    ],
)
def test_a_prefix_may_end_where_an_element_of_the_path_ends(prefix: str, kind: str, value: str) -> None:
    condition = msgspec.convert({"uri": {"prefix": prefix}}, virtual_services.HttpMatchRequest)
    built = matches.build_route_match(condition, has_path_elements=True)
    assert built.WhichOneof("path_specifier") == kind
    assert getattr(built, kind) == value
    assert matches.build_route_match(condition).prefix == prefix
