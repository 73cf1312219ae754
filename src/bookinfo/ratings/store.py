"""Where ratings are kept: in memory, for the life of the process."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

MOST_PRODUCTS: Final = 10_000
MOST_REVIEWERS: Final = 100

Stars = Annotated[int, msgspec.Meta(ge=0, le=5)]
Reviewer = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class ProductRatings(msgspec.Struct, frozen=True):
    """The answer to `/ratings/{id}`: stars by reviewer."""

    id: int
    ratings: dict[str, int]


class StoreFullError(Exception):
    """There are as many products as the store takes."""


class InvalidRatingsError(ValueError):
    """A posted body is not a JSON object of reviewer names and stars; the text says what is wrong."""


_DECODER: Final = msgspec.json.Decoder(dict[Reviewer, Stars])


def parse_ratings(body: bytes) -> dict[str, int]:
    """
    Return stars by reviewer from a body such as `{"Reviewer1": 5}`.

    Raises:
        InvalidRatingsError: with the reason.
    """
    try:
        ratings = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRatingsError(str(error)) from error
    if len(ratings) > MOST_REVIEWERS:
        raise InvalidRatingsError(f"more than {MOST_REVIEWERS} reviewers")
    return ratings


class MemoryStore:
    """Ratings by product; a product nobody has rated has the sample's two ratings."""

    def __init__(self) -> None:
        self._posted: dict[int, ProductRatings] = {}

    def get(self, product_id: int) -> ProductRatings:
        posted = self._posted.get(product_id)
        if posted is not None:
            return posted
        return ProductRatings(id=product_id, ratings={"Reviewer1": 5, "Reviewer2": 4})

    def put(self, product_id: int, ratings: dict[str, int]) -> ProductRatings:
        """
        Replace the ratings of a product.

        Raises:
            StoreFullError: the product is new and there are too many already.
        """
        if product_id not in self._posted and len(self._posted) >= MOST_PRODUCTS:
            raise StoreFullError(f"ratings of {MOST_PRODUCTS} products are kept already")
        self._posted[product_id] = ProductRatings(id=product_id, ratings=ratings)
        return self._posted[product_id]
