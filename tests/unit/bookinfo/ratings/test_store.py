from __future__ import annotations

import pytest

from bookinfo.ratings import store


def test_store_is_bounded_but_known_products_can_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_PRODUCTS", 1)
    ratings = store.MemoryStore()
    ratings.put(1, {"a": 1})
    with pytest.raises(store.StoreFullError):
        ratings.put(2, {"a": 1})
    assert ratings.put(1, {"a": 2}).ratings == {"a": 2}


def test_reviewers_are_bounded() -> None:
    body = "{" + ",".join(f'"r{n}":1' for n in range(store.MOST_REVIEWERS + 1)) + "}"
    with pytest.raises(store.InvalidRatingsError, match="more than 100 reviewers"):
        store.parse_ratings(body.encode())
