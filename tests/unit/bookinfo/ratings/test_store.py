from __future__ import annotations

import pytest

from bookinfo.ratings import store


def test_ratings_are_stars_by_reviewer() -> None:
    assert store.parse_ratings('{"Reviewer1": 5, "Zoë": 0}'.encode()) == {"Reviewer1": 5, "Zoë": 0}


def test_reviewers_are_bounded() -> None:
    body = "{" + ",".join(f'"r{n}":1' for n in range(store.MOST_REVIEWERS + 1)) + "}"
    with pytest.raises(store.InvalidRatingsError, match="more than 100 reviewers"):
        store.parse_ratings(body.encode())
