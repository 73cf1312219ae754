from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bookmesh.mesh.gateway_api import hostnames

LABELS = st.sampled_from(["a", "b", "web", "api"])
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
PATTERNS = st.one_of(NAMES, NAMES.map(lambda name: f"*.{name}"), st.just("*"))


def means(pattern: str, host: str) -> bool:
    """What the specification says, by labels: a wildcard stands for one label or more."""
    if pattern == "*":
        return True
    own, asked = pattern.split("."), host.split(".")
    if own[0] != "*":
        return own == asked
    return len(asked) >= len(own) and asked[-len(own) + 1 :] == own[1:]


@given(PATTERNS, PATTERNS, NAMES)
def test_an_intersection_means_exactly_the_hosts_that_both_mean(route: str, listener: str, host: str) -> None:
    shared = hostnames.intersection(route, listener)
    both = means(route, host) and means(listener, host)
    assert (shared is not None and means(shared, host)) == both


@given(PATTERNS, PATTERNS)
def test_the_order_does_not_matter(one: str, other: str) -> None:
    assert hostnames.intersection(one, other) == hostnames.intersection(other, one)


@given(PATTERNS, st.lists(PATTERNS, min_size=1, max_size=5), NAMES)
def test_a_host_belongs_to_the_most_specific_listener_alone(own: str, others: list[str], host: str) -> None:
    listeners = list(dict.fromkeys([own, *others]))
    takers = [each for each in listeners if means(each, host)]
    owners = [
        each
        for each in takers
        if not hostnames.belongs_elsewhere(host, each, [other for other in listeners if other != each])
    ]
    assert len(owners) == (1 if takers else 0)
    if owners:
        assert len(owners[0]) == max(len(each) if each != "*" else 0 for each in takers) or owners == ["*"]


def test_case_does_not_matter_and_no_host_means_every_host() -> None:
    assert hostnames.intersection("WWW.Example.com", "*.example.COM") == "www.example.com"
    assert hostnames.intersections((), "") == ("*",)
    assert hostnames.intersections((), "*.example.com") == ("*.example.com",)
    assert hostnames.intersections(("example.org", "a.example.com"), "*.example.com") == ("a.example.com",)


def test_a_wildcard_does_not_stand_for_nothing() -> None:
    assert hostnames.intersection("example.com", "*.example.com") is None
