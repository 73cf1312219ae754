"""Spans of time and other texts."""

from __future__ import annotations

import pytest
from tests.unit.kube.api.conftest import NOW

from bookmesh.kube.api.tables import columns

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("span_s", "expected"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (2 * _MINUTE, "2m"),
        (2 * _MINUTE + 5, "2m5s"),
        (10 * _MINUTE + 5, "10m"),
        (179 * _MINUTE, "179m"),
        (3 * _HOUR, "3h"),
        (3 * _HOUR + _MINUTE, "3h1m"),
        (8 * _HOUR + _MINUTE, "8h"),
        (47 * _HOUR, "47h"),
        (2 * _DAY, "2d"),
        (2 * _DAY + _HOUR, "2d1h"),
        (8 * _DAY + _HOUR, "8d"),
        (729 * _DAY, "729d"),
        (731 * _DAY, "2y1d"),
        (3000 * _DAY, "8y"),
    ],
)
def test_duration(span_s: int, expected: str) -> None:
    assert columns.duration(span_s) == expected


def test_time_since() -> None:
    assert columns.since("2025-12-31T23:59:00Z", NOW) == "60s"
    assert columns.since(None, NOW) == "<unknown>"
    assert columns.since("soon", NOW) == "<invalid>"


def test_lists_are_cut_short() -> None:
    assert columns.limited([]) == "<none>"
    assert columns.limited(["a", "b", "c", "d"]) == "a,b,c + 1 more..."
    assert columns.pairs({"b": "2", "a": "1"}) == "a=1,b=2"
