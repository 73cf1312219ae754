from __future__ import annotations

import pytest

from bookinfo.ratings import memory, store


async def test_store_is_bounded_but_known_products_can_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_PRODUCTS", 1)
    ratings = memory.MemoryStore()
    async with ratings.open():
        await ratings.put(1, {"a": 1})
        with pytest.raises(store.StoreFullError):
            await ratings.put(2, {"a": 1})
        assert (await ratings.put(1, {"a": 2})).ratings == {"a": 2}
        assert (await ratings.get(1)).ratings == {"a": 2}
