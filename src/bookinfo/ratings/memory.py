"""Ratings in memory, for the life of the process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bookinfo.ratings import store

MOST_PRODUCTS: Final = 10_000


class MemoryStore:
    """Ratings by product; a product nobody has rated has the sample's two ratings."""

    def __init__(self) -> None:
        self._posted: dict[int, store.ProductRatings] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        yield

    def at_hand(self, product_id: int) -> store.ProductRatings:
        posted = self._posted.get(product_id)
        if posted is not None:
            return posted
        return store.ProductRatings(id=product_id, ratings={"Reviewer1": 5, "Reviewer2": 4})

    async def get(self, product_id: int) -> store.ProductRatings:
        return self.at_hand(product_id)

    async def put(self, product_id: int, ratings: dict[str, int]) -> store.ProductRatings:
        if product_id not in self._posted and len(self._posted) >= MOST_PRODUCTS:
            raise store.StoreFullError(f"ratings of {MOST_PRODUCTS} products are kept already")
        self._posted[product_id] = store.ProductRatings(id=product_id, ratings=ratings)
        return self._posted[product_id]
