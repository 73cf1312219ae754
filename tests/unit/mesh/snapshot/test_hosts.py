"""Host names: short, wildcards, common parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


LABELS = st.lists(st.sampled_from(["a", "b", "com"]), min_size=1, max_size=4).map(".".join)
PATTERNS = LABELS | LABELS.map("*.{}".format) | st.just("*")


@given(st.lists(PATTERNS, max_size=6), LABELS)
def test_the_most_specific_pattern_is_the_exact_name_or_the_longest_wildcard(
    patterns: list[str], host: str
) -> None:
    covering = [
        p
        for p in patterns
        if p == host or (p.startswith("*") and ("." + host).endswith(p[1:]) and p != f"*.{host}")
    ]
    best = hosts.most_specific(patterns, host)
    if not covering:
        assert best is None
    elif host in covering:
        assert best == host
    else:
        assert best in covering
        assert len(best) == max(map(len, covering))


@given(PATTERNS, PATTERNS, LABELS)
def test_what_two_patterns_have_in_common_covers_what_both_cover(one: str, other: str, host: str) -> None:
    common = hosts.narrower(one, other)
    is_in_both = hosts.matches(one, host) and hosts.matches(other, host)
    assert is_in_both == (common is not None and hosts.matches(common, host))
    assert common == hosts.narrower(other, one)
