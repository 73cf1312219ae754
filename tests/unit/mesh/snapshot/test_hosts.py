"""Host names: short, wildcards, common parts."""

from __future__ import annotations

import pytest

from bookmesh.mesh.snapshot import hosts


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("reviews", "reviews.shop.svc.cluster.local"),
        ("reviews.other", "reviews.other"),
        ("*", "*"),
        ("a.example.com", "a.example.com"),
    ],
)
def test_only_names_without_a_dot_are_resolved(host: str, expected: str) -> None:
    assert hosts.qualified(host, "shop", "cluster.local") == expected


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        ("*", "anything", True),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "a.b.Example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "*.a.example.com", True),
        ("*.a.example.com", "*.example.com", False),
        ("a.example.com", "A.example.com", True),
        ("a.example.com", "b.example.com", False),
    ],
)
def test_wildcards_cover_what_ends_like_them(pattern: str, host: str, expected: bool) -> None:
    assert hosts.matches(pattern, host) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("*", "a.example.com", "a.example.com"),
        ("a.example.com", "*.example.com", "a.example.com"),
        ("*.example.com", "*.a.example.com", "*.a.example.com"),
        ("*.example.com", "*.example.org", None),
    ],
)
def test_narrower_pattern_is_what_two_have_in_common(one: str, other: str, expected: str | None) -> None:
    assert hosts.narrower(one, other) == expected
    assert hosts.narrower(other, one) == expected


def test_exact_name_wins_over_longer_and_shorter_wildcards() -> None:
    patterns = ["*", "*.b.com", "a.b.com", "*.com"]
    assert hosts.most_specific(patterns, "a.b.com") == "a.b.com"
    assert hosts.most_specific(patterns, "x.b.com") == "*.b.com"
    assert hosts.most_specific(["*.b.com"], "x.org") is None
