"""What callers would meet until pods are replaced; random changes are in tests/golden/releases."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bookmesh.release import meanwhile, ranges
from bookmesh.release.contracts import Declared, ReleaseId, Requirement
from bookmesh.release.intentions import Intended
from bookmesh.release.serving import Backend, Serving

REVIEWS, PAGE = ReleaseId("shop", "reviews"), ReleaseId("shop", "page")
PAGE_NEEDS = Declared(PAGE, (Requirement(REVIEWS, "reviews-api", ranges.parse_range("2")),))


def now(shares: str | None, ready: Mapping[str, str]) -> Serving:
    """Ready pods as a map from track to version; `shares` are the tracks with traffic."""
    pods = tuple(
        Backend(f"reviews-{track}", track, provided(version), is_ready=True)
        for track, version in ready.items()
    )
    return Serving(REVIEWS, (), pods, None if shares is None else frozenset(shares.split()))


def provided(version: str) -> dict[str, ranges.Version]:
    return {"reviews-api": ranges.parse_version(version)}


def then(shares: str | None, strict: str, tracks: Mapping[str, str]) -> Intended:
    declared = Declared(REVIEWS, (), {track: provided(version) for track, version in tracks.items()})
    return Intended(
        declared, None if shares is None else frozenset(shares.split()), frozenset(strict.split())
    )


@pytest.mark.parametrize(
    ("seen", "intended", "known"),
    [
        pytest.param(
            now("v1", {"v1": "2", "v2": "3"}),
            then("v2", "v2", {"v1": "2", "v2": "2"}),
            "3 by track v2, whose pods of today get traffic before they are replaced",
            id="another image and traffic at once",
        ),
        pytest.param(
            now("v1", {"v1": "2", "v3": "3"}),
            then("v2", "", {"v2": "2", "v3": "3"}),
            "3 by track v3, whose pods of today get traffic before they are replaced",
            id="only a track that callers cannot live with is left to stand in",
        ),
        pytest.param(
            now("v1", {"v1": "2"}),
            then("v2", "", {"v1": "3", "v2": "2"}),
            "3 by track v1, which stands in for one without a ready pod",
            id="who stands in is replaced meanwhile",
        ),
        pytest.param(
            now("v1", {"v1": "2", "v2": "3"}),
            then(None, "", {"v1": "2"}),
            "3 by track v2, whose pods of today get traffic before they are replaced",
            id="routes go, and a track that had no traffic",
        ),
    ],
)
def test_what_would_be_served_for_a_while_is_found(seen: Serving, intended: Intended, known: str) -> None:
    found = meanwhile.find_breaches(intended, [PAGE_NEEDS], seen)
    assert [one.code for one in found][:1] == ["BM0623"]
    assert (
        found[0].message
        == "release shop/page requires reviews-api 2 of reviews, and would not get it for a while"
    )
    assert found[0].known == f"reviews-api would be served as: {known}"


@pytest.mark.parametrize(
    ("seen", "intended"),
    [
        pytest.param(now("v1", {"v1": "1"}), then("v1", "v1", {"v1": "2"}), id="it was so before"),
        pytest.param(
            now("v1", {"v1": "2", "v3": "3"}),
            then("v1 v2", "", {"v1": "2", "v2": "2", "v3": "3"}),
            id="a track with traffic stands in before those without",
        ),
        pytest.param(
            now("v1", {"v1": "2", "v2": "2", "v3": "3"}),
            then("v2", "", {"v2": "2", "v3": "3"}),
            id="all with traffic have ready pods",
        ),
        pytest.param(now(None, {}), then(None, "", {"v1": "3"}), id="nothing is there"),
    ],
)
def test_what_makes_nothing_worse_is_let_through(seen: Serving, intended: Intended) -> None:
    assert meanwhile.find_breaches(intended, [PAGE_NEEDS], seen) == []


def test_a_release_that_requires_itself_is_not_its_own_caller() -> None:
    own = Declared(REVIEWS, PAGE_NEEDS.requires)
    assert (
        meanwhile.find_breaches(then("v2", "v2", {"v2": "2"}), [own], now("v1", {"v1": "2", "v2": "3"})) == []
    )
