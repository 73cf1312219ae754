"""Small structures that several kinds use."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import matching


@pytest.mark.parametrize("value", [{}, {"exact": ""}, {"prefix": "/"}, {"regex": ".*"}])
def test_string_match_has_at_most_one_way(value: dict[str, Any]) -> None:
    msgspec.convert(value, matching.StringMatch)


def test_string_match_with_two_ways_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"exact": "a", "prefix": "a"}, matching.StringMatch)


@pytest.mark.parametrize(
    ("value", "is_valid"), [(0, True), (100, True), (12.5, True), (-1, False), (100.1, False)]
)
def test_percent_is_between_0_and_100(value: float, is_valid: bool) -> None:
    if is_valid:
        assert msgspec.convert({"value": value}, matching.Percent).value == value
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"value": value}, matching.Percent)


def test_destination_needs_a_host_only() -> None:
    found = msgspec.convert({"host": "web"}, matching.Destination)
    assert (found.subset, found.port) == ("", None)
    with pytest.raises(msgspec.ValidationError, match="host"):
        msgspec.convert({"subset": "v1"}, matching.Destination)
